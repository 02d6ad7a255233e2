import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { MetricSnapshot } from "@pillion/kit";
import { errors } from "../errors.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";

/** `worker.ts` in the sources, `.js` in the package, and in an image a bundle of its own beside the program's. */
const PROGRAM = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));

/** How often a worker is looked at within the time after which it counts as hanging. */
const LOOKS = 5;

/** What a worker tells unasked. */
export type Told = Extract<ToPrimary, { kind: "log" | "condition" | "access" }>;

/** @throws WORKERS_NOT_STARTABLE where somebody's own bundle left the workers' program out */
export function assertStartable(): void {
  if (existsSync(PROGRAM)) return;
  throw errors.WORKERS_NOT_STARTABLE({
    subject: "--workers",
    value: PROGRAM,
    reason: "the program of the workers isn't there",
    remedy: "Keep @pillion/tls-proxy out of your bundle, or leave --workers at 1",
  });
}

/** One worker, as its primary sees it. */
export class WorkerProcess {
  /** Resolves when it serves; rejects with WORKER_ENDED when it ended before. */
  readonly serving: Promise<void>;
  /** Resolves with its exit code or the signal that ended it, once all it had to say was heard. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (snapshot: MetricSnapshot | undefined) => void>();
  readonly #drained = Promise.withResolvers<readonly string[]>();
  #questions = 0;
  /** Why it was killed, in addition to the signal. */
  #reason = "";

  constructor(number: number, start: ToWorker, told: (message: Told) => void) {
    // Its own environment is this one's; what it serves it is told, as arguments are for everybody to see.
    this.#child = fork(PROGRAM, [], { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const ended = Promise.withResolvers<string>();
    const serving = Promise.withResolvers<void>();
    this.#child.on("message", (message: ToPrimary) => {
      if (message.kind === "serving") serving.resolve();
      else if (message.kind === "drained") this.#drained.resolve(message.cutOff);
      else if (message.kind === "answer") this.#answers.get(message.id)?.(message.snapshot);
      else if (message.kind !== "pulse") told(message);
    });
    this.#child.once("error", (error) => ended.resolve(error.message));
    // Not at "exit": what it said last may be on its way still.
    this.#child.once("close", (code, signal) => ended.resolve(`${signal ?? `exit code ${code}`}${this.#reason}`));
    this.ended = ended.promise;
    const over = (how: string) => {
      serving.reject(endedEarly(number, how));
      this.#drained.resolve([`what worker ${number} had in flight when it ended with ${how}`]);
      for (const answer of this.#answers.values()) answer(undefined);
    };
    void this.ended.then(over);
    this.serving = serving.promise;
    this.serving.catch(() => {}); // who restarts workers looks at `ended`
    this.tell(start);
  }

  tell(message: ToWorker): void {
    // One that just died is told of by `ended`.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /**
   * From now on kills it when it has said nothing for `timeout` milliseconds: its event loop is blocked. Looks are counted
   * rather than time, so that it isn't blamed for the time in which all were frozen, as in a container that is paused.
   */
  watch(timeout: number): void {
    let silentLooks = 0;
    this.#child.on("message", () => (silentLooks = 0));
    const look = () => {
      if (silentLooks++ < LOOKS) return this.tell({ kind: "pulse" });
      this.#reason = ` for not answering for ${timeout / 1000} s`;
      this.kill();
    };
    const timer = setInterval(look, timeout / LOOKS).unref();
    void this.ended.then(() => clearInterval(timer));
  }

  /** Undefined when it didn't answer in time, milliseconds. */
  async metrics(timeout: number): Promise<MetricSnapshot | undefined> {
    return await this.#ask("metrics", AbortSignal.timeout(timeout));
  }

  /** Resolves when it has read everything anew, or has ended. */
  async reload(): Promise<void> {
    await this.#ask("reload");
  }

  /** @returns what was cut off at the deadline, a line each; one that doesn't say so within `grace` milliseconds is killed */
  async drain(deadline: AbortSignal, grace: number): Promise<readonly string[]> {
    let timer: NodeJS.Timeout | undefined;
    const overdue = () => {
      this.tell({ kind: "deadline" });
      timer = setTimeout(() => this.kill(), grace);
    };
    this.tell({ kind: "drain" });
    if (deadline.aborted) overdue();
    else deadline.addEventListener("abort", overdue, { once: true });
    const cutOff = await this.#drained.promise;
    clearTimeout(timer);
    deadline.removeEventListener("abort", overdue);
    if (this.#child.connected) this.#child.disconnect(); // which ends it
    return cutOff;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #ask(kind: "metrics" | "reload", timeout?: AbortSignal): Promise<MetricSnapshot | undefined> {
    const id = this.#questions++;
    const { promise, resolve } = Promise.withResolvers<MetricSnapshot | undefined>();
    this.#answers.set(id, resolve);
    timeout?.addEventListener("abort", () => resolve(undefined), { once: true });
    if (this.#child.connected) this.tell({ kind, id });
    else resolve(undefined);
    const answer = await promise;
    this.#answers.delete(id);
    return answer;
  }
}

function endedEarly(number: number, how: string): Error {
  return errors.WORKER_ENDED({
    subject: `worker ${number}`,
    reason: `ended with ${how} before it served`,
    remedy: "The lines before this one say why",
  });
}
