import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { backoff } from "@pillion/kit";
import { GRACE, signalGroup } from "./groups.ts";
import type { Guard } from "./guard.ts";
import type { ProgramSpec } from "./programs.ts";
import { askForText } from "./request.ts";
import { until } from "./until.ts";

/** Whoever ran so long has started well: the next failure is a new one. Milliseconds. */
const STABLE = 10_000;
const START_LIMIT = 60_000;
const RESTART = { base: 500, cap: 10_000 };
const REMEMBERED_LINES = 200;

export type Ending = number | NodeJS.Signals;

export interface ProgramWatcher {
  line(program: Program, line: string): void;
  ended(program: Program, ending: Ending, restartIn: number): void;
  restarted(program: Program): void;
}

export interface ProgramOptions {
  readonly spec: ProgramSpec;
  /** The Node that runs it. */
  readonly runtime: string;
  readonly env: NodeJS.ProcessEnv;
  readonly guard: Guard;
  readonly watcher: ProgramWatcher;
}

/** One of the processes, in a group of its own, started again with growing waits when it ends by itself: an orchestrator's job. */
export class Program {
  readonly spec: ProgramSpec;
  readonly #options: ProgramOptions;
  readonly #lines: string[] = [];
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #gone: Promise<Ending> = Promise.resolve(0);
  #established = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.spec = options.spec;
  }

  /** Undefined while it isn't running. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  lastLines(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  /** Starts it and waits until it says that its first work is done. Rejects when it ends before, or takes too long. */
  async start(signal: AbortSignal): Promise<void> {
    this.#spawn();
    const failed = new AbortController();
    const fail = (how: string) =>
      failed.abort(new Error([`${this.spec.name} ${how}; its last lines:`, ...this.lastLines(5)].join("\n  ")));
    void this.#gone.then((ending) => fail(`ended with ${ending} before it had started`));
    const timer = setTimeout(() => fail(`has not started within ${START_LIMIT / 1000} s`), START_LIMIT);
    const either = AbortSignal.any([signal, failed.signal]);
    await until(async () => (await askForText(this.spec.startedUrl, either))?.status === 200, either).finally(() =>
      clearTimeout(timer),
    );
    this.#established = true;
  }

  /** SIGTERM, then SIGKILL after the grace or as soon as `hurry` aborts. @returns how it ended */
  async stop(hurry: AbortSignal): Promise<Ending> {
    this.#stopping.abort();
    clearTimeout(this.#retry);
    const group = this.pid;
    if (group === undefined) return await this.#gone;
    const kill = () => void signalGroup(group, "SIGKILL");
    const timer = setTimeout(kill, GRACE);
    hurry.addEventListener("abort", kill, { once: true });
    if (hurry.aborted) kill();
    else this.#child?.kill("SIGTERM");
    try {
      return await this.#gone;
    } finally {
      clearTimeout(timer);
      hurry.removeEventListener("abort", kill);
    }
  }

  #spawn(): void {
    const { spec, runtime, env, guard, watcher } = this.#options;
    const child = spawn(runtime, [...spec.flags, spec.script, ...spec.args], {
      detached: true, // Ctrl-C in the terminal is for the demo alone, which passes it on
      stdio: ["ignore", "pipe", "pipe"],
      env,
    });
    const { pid } = child;
    if (pid !== undefined) guard.watch(pid);
    this.#child = child;
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on("line", (line) => {
        this.#lines.push(line);
        if (this.#lines.length > REMEMBERED_LINES) this.#lines.shift();
        watcher.line(this, line);
      });
    }
    const startedAt = performance.now();
    child.once("exit", () => void (pid !== undefined && signalGroup(pid, "SIGKILL"))); // children that it left behind
    this.#gone = once(child, "close").then(([code, signal]: unknown[]) => {
      if (pid !== undefined) guard.forget(pid);
      this.#child = undefined;
      const ending = (code ?? signal) as Ending;
      if (performance.now() - startedAt > STABLE) this.#failures = 0;
      if (this.#established && !this.#stopping.signal.aborted) this.#restartLater(ending);
      return ending;
    });
  }

  #restartLater(ending: Ending): void {
    this.#failures++;
    const wait = backoff(this.#failures, RESTART);
    this.#options.watcher.ended(this, ending, wait);
    this.#retry = setTimeout(() => {
      this.#spawn();
      this.#options.watcher.restarted(this);
    }, wait);
  }
}
