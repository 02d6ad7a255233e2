import { type Got, LoadClient, type Outcome, type Target } from "./load-client.ts";

export interface LoadOptions {
  readonly clients: number;
  /** Of each answer's body, bytes. */
  readonly length: number;
  /** Whether clients keep their connections; if not, each request comes on a new one. */
  readonly keepAlive: boolean;
  /** @param began when the request was started, on the clock of `performance.now` */
  readonly onGot?: (got: Got, began: number) => void;
}

/** Clients that ask one thing after the other until they are stopped. */
export class Load implements AsyncDisposable {
  /** What was served other than whole: a line each. */
  readonly unserved: string[] = [];
  readonly #outcomes = new Map<Outcome, number>();
  readonly #options: LoadOptions;
  readonly #clients: readonly LoadClient[];
  readonly #rounds: Promise<unknown>;
  #ids = 0;
  #stopped = false;
  #next = Promise.withResolvers<void>();

  constructor(target: () => Target, options: LoadOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.clients }, () => new LoadClient(target, options.keepAlive));
    this.#rounds = Promise.all(this.#clients.map((client) => this.#ask(client)));
  }

  count(outcome: Outcome): number {
    return this.#outcomes.get(outcome) ?? 0;
  }

  get repeated(): number {
    return this.#clients.reduce((sum, { repeated }) => sum + repeated, 0);
  }

  /** Waits until so many more requests have come out so. */
  async gets(more: number, outcome: Outcome = "whole"): Promise<void> {
    const enough = this.count(outcome) + more;
    while (this.count(outcome) < enough) await this.#next.promise;
  }

  /** Resolves when all clients have the answers that they wait for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#rounds;
    for (const client of this.#clients) client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** For the log of a test. */
  summary(): string {
    return `${[...this.#outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(", ")}, ${this.repeated} sent again`;
  }

  async #ask(client: LoadClient): Promise<void> {
    while (!this.#stopped) {
      const began = performance.now();
      const got = await client.get(`${this.#ids++}`, this.#options.length);
      this.#options.onGot?.(got, began);
      this.#outcomes.set(got.outcome, this.count(got.outcome) + 1);
      if (got.outcome !== "whole") this.unserved.push(`${got.outcome}: ${String(got.error)}`);
      this.#next.resolve();
      this.#next = Promise.withResolvers();
    }
  }
}
