import { releaseStartupMemory } from "./startup-memory.ts";

/** What the runner needs of the process it runs in; tests bring their own. */
export interface Host {
  /** Without the runtime and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean | undefined };
  readonly stderr: { write(text: string): unknown };
  onSignal(handler: (signal: "SIGTERM" | "SIGINT" | "SIGHUP") => void): void;
  /** Standard output can't be written: who read it has gone, or the disk is full. */
  onOutputLost(handler: (error: Error) => void): void;
  /** Errors that nobody caught. */
  onCrash(handler: (error: unknown) => void): void;
  /** All has started. */
  started(): void;
  exit(code: number): void;
  /** Monotonic, milliseconds. */
  now(): number;
}

/** The real process: the one place of the kit that names its arguments, environment, signals and exit. */
export function processHost(): Host {
  return {
    argv: process.argv.slice(2),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    onSignal(handler) {
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => handler(signal));
      // Node's answer to it is a debugger on loopback, where everybody who shares the network could run code here.
      process.on("SIGUSR1", () => {});
    },
    onOutputLost(handler) {
      process.stdout.on("error", handler);
      process.stderr.on("error", () => {});
    },
    onCrash(handler) {
      process.on("uncaughtException", handler);
      process.on("unhandledRejection", handler);
    },
    started: releaseStartupMemory,
    exit: (code) => process.exit(code),
    now: () => performance.now(),
  };
}
