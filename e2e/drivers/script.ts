import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";

/** A script that runs as its user would run it. Disposal kills it. */
export interface Script extends AsyncDisposable {
  readonly pid: number;
  running(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** Everything it wrote so far, both streams. */
  output(): string;
  /** Resolves with its exit code; 128 and the signal's number when a signal ended it. */
  readonly exited: Promise<number>;
}

/** Starts a script on this runtime, as it is built: without the export condition that tests themselves run with. */
export function startScript(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Script {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const exited = once(child, "close").then(([code, signal]) => codeOf(code, signal));
  return {
    pid: child.pid ?? 0,
    running: () => child.exitCode === null && child.signalCode === null,
    kill: (signal) => void child.kill(signal),
    output: () => output,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function codeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}
