import { setTimeout as delay } from "node:timers/promises";
import { type Logger, type MetricSnapshot, backoff, whatLasts } from "@pillion/kit";
import { errors } from "../errors.ts";
import type { ToWorker } from "./messages.ts";
import { type Told, WorkerProcess } from "./worker-process.ts";

export interface WorkerSlotOptions {
  readonly number: number;
  readonly log: Logger;
  /** How long it may answer nothing until it is killed, milliseconds; 0 is for ever. */
  readonly timeout: number;
  /** Ends restarting. */
  readonly signal: AbortSignal;
  /** What a worker is started with. */
  readonly start: () => ToWorker;
  readonly told: (message: Told) => void;
  /** It serves, for the first time or again. */
  readonly serving: () => void;
  /** @param how its exit code or the signal that ended it, and why if that is known */
  readonly died: (how: string) => void;
  /** Whether any worker serves. */
  readonly anyServes: () => boolean;
}

/** Milliseconds between a death and the restart. */
const BETWEEN = { base: 200, cap: 5_000 };
/** So many deaths in a row, and no restart helps. */
const MOST_DEATHS = 5;
/** Who served so long is well again, milliseconds. */
const WELL_AFTER = 60_000;
/** How long one has to answer a scrape, milliseconds. */
const SCRAPE = 1_000;
/** How long one may take to say what it cut off, milliseconds; kit waits for 500. */
const GRACE = 350;

/** The place of one worker: started, and started anew when it died. */
export class WorkerSlot {
  readonly #options: WorkerSlotOptions;
  #process: WorkerProcess;
  #serves = false;
  #deaths = 0;
  /** What the one that serves had counted when it was asked last. */
  #last: MetricSnapshot | undefined;
  /** What those that died had counted. */
  #gone: MetricSnapshot = [];

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
    this.#process = this.#start();
  }

  get serves(): boolean {
    return this.#serves;
  }

  /** Rejects with WORKER_ENDED when the first one ended before it served. */
  get started(): Promise<void> {
    return this.#process.serving;
  }

  tell(message: ToWorker): void {
    this.#process.tell(message);
  }

  async reload(): Promise<void> {
    if (this.#serves) await this.#process.reload(); // another reads everything as it starts
  }

  /** All that was counted here, by those that died too. What isn't answered in time is as it was at the last time. */
  async metrics(): Promise<readonly MetricSnapshot[]> {
    const process = this.#process;
    const snapshot = this.#serves ? await process.metrics(SCRAPE) : undefined;
    if (process === this.#process && this.#serves) {
      if (snapshot) this.#last = snapshot;
      else
        this.#options.log.warn({ worker: this.#options.number }, "a worker doesn't answer; its last metrics are shown");
    }
    return this.#last ? [this.#gone, this.#last] : [this.#gone];
  }

  async drain(deadline: AbortSignal): Promise<readonly string[]> {
    if (this.#serves) return await this.#process.drain(deadline, GRACE);
    this.#process.kill();
    return [];
  }

  kill(): void {
    this.#process.kill();
  }

  /** Keeps one running. Rejects with WORKER_ENDED when no restart helps; resolves when the signal has aborted. */
  async keep(): Promise<void> {
    const { number, signal, log, died } = this.#options;
    for (;;) {
      const how = await this.#process.ended;
      if (signal.aborted) return;
      const served = this.#serves;
      this.#serves = false;
      this.#deaths++;
      died(how);
      this.#gone = await whatLasts([this.#gone, ...(this.#last ? [this.#last] : [])]);
      this.#last = undefined;
      if (this.#deaths >= MOST_DEATHS && (served || !this.#options.anyServes())) throw keepsDying(number, how);
      const wait = backoff(this.#deaths, BETWEEN);
      log.error({ worker: number, restartsIn: `${wait}ms` }, `worker ${number} ended with ${how}`);
      await delay(wait, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      this.#process = this.#start();
    }
  }

  #start(): WorkerProcess {
    const { number, timeout, start, told, serving } = this.#options;
    const process = new WorkerProcess(number, start(), told);
    const well = setTimeout(() => (this.#deaths = 0), WELL_AFTER).unref();
    void process.ended.then(() => clearTimeout(well));
    const begin = () => {
      this.#serves = true;
      if (timeout > 0) process.watch(timeout);
      serving();
    };
    void process.serving.then(begin, () => {}); // keep() sees the end of one that never served
    return process;
  }
}

function keepsDying(number: number, how: string): Error {
  return errors.WORKER_ENDED({
    subject: `worker ${number}`,
    reason: `ended ${MOST_DEATHS} times in a row, the last time with ${how}`,
    remedy: "The lines before this one may say why; SIGKILL without a reason is mostly the system's for lack of memory",
  });
}
