import type { Proxy } from "./proxies.ts";
import type { RunningProxy, TestBed } from "./test-bed.ts";

/** A proxy's samples, or why they don't count. */
export interface Outcome<Sample> {
  readonly proxy: Proxy;
  readonly samples: Sample[];
  /** It didn't start, or its answers weren't right: nothing of it counts. */
  failure?: string;
}

/** The proxies of one measurement. One that fails is out, and the others go on. */
export class Field<Sample> implements AsyncDisposable {
  readonly outcomes: Outcome<Sample>[] = [];
  readonly #running = new Map<Outcome<Sample>, RunningProxy>();
  readonly #bed: TestBed;
  readonly #name: string;
  readonly #tell: (line: string) => void;

  constructor(bed: TestBed, name: string, tell: (line: string) => void) {
    this.#bed = bed;
    this.#name = name;
    this.#tell = tell;
  }

  /** All of them run from then on. */
  async start(
    proxies: readonly Proxy[],
    alpn: "http/1.1" | "h2,http/1.1",
    warmUp: (running: RunningProxy) => Promise<void>,
  ): Promise<void> {
    for (const proxy of proxies) {
      const outcome: Outcome<Sample> = { proxy, samples: [] };
      this.outcomes.push(outcome);
      await this.#attempt(outcome, async () => {
        const running = await this.#bed.start(proxy, alpn);
        this.#running.set(outcome, running);
        await warmUp(running);
      });
    }
  }

  /** One after the other, those that are still in. */
  async each(work: (running: RunningProxy, samples: Sample[]) => Promise<void>): Promise<void> {
    for (const [outcome, running] of this.#running)
      await this.#attempt(outcome, async () => {
        await work(running, outcome.samples);
        running.process.check();
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#running.values()) await process[Symbol.asyncDispose]();
  }

  async #attempt(outcome: Outcome<Sample>, work: () => Promise<void>): Promise<void> {
    if (outcome.failure !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.#bed.signal.throwIfAborted();
      outcome.failure = (error as Error).message.replaceAll(/\s+/g, " ").slice(0, 300);
      this.#tell(`${this.#name}: ${outcome.proxy.name} is out: ${outcome.failure}`);
    }
  }
}
