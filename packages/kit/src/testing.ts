import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { createLog } from "./log.ts";
import { Program } from "./program.ts";
import { readOptions } from "./read-options.ts";
import { runnerTable } from "./runner-options.ts";
import { defineOptions } from "./options.ts";
import type { Sidecar } from "./sidecar.ts";

/** A sidecar that runs inside the test's own process. `await using` stops it. */
export interface StartedSidecar extends AsyncDisposable {
  readonly addresses: Readonly<Record<string, string>>;
  /** Everything it logged so far, as parsed JSON. */
  readonly log: readonly Record<string, unknown>[];
  /** Asks an admin endpoint. */
  get(path: string): Promise<{ readonly status: number; readonly text: string }>;
  reload(): Promise<void>;
  /** @returns whether everything ended by itself before the time-out */
  stop(): Promise<boolean>;
}

/** Starts sidecars in this process, with the admin endpoints on a free loopback port. */
export async function startSidecar(
  sidecars: Sidecar | readonly Sidecar[],
  shutdownTimeout = "2s",
): Promise<StartedSidecar> {
  const all = [sidecars].flat();
  const identity = { name: "test", version: "", description: "", adminListen: "127.0.0.1:0" };
  const written = new Map([["shutdownTimeout", [{ name: "shutdownTimeout", value: shutdownTimeout }]]]);
  const { values } = readOptions(defineOptions(runnerTable(identity)), written);
  const lines: Record<string, unknown>[] = [];
  const log = await createLog({ level: "trace", format: "json" }, { write: (line) => lines.push(JSON.parse(line)) });
  const program = new Program({ sidecars: all, settings: values, log, env: {} });
  try {
    await program.start();
  } catch (error) {
    await program.stop({ delay: false });
    throw error;
  }
  let stopping: Promise<boolean> | undefined;
  const stop = () => (stopping ??= program.stop({ delay: false }));
  return {
    addresses: program.addresses,
    log: lines,
    reload: () => program.reload(),
    stop,
    async get(path) {
      const response = await fetch(`http://${program.addresses["admin"]}${path}`);
      return { status: response.status, text: await response.text() };
    },
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** A command that runs as a process of its own. `await using` kills it. */
export interface Spawned extends AsyncDisposable {
  readonly process: ChildProcess;
  /** Everything it wrote so far, both streams. */
  output(): string;
  /** Resolves with the match when the output matches; rejects when the process ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with its exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

/** Starts a script on this runtime as its user would, with an environment of its own. */
export function spawnScript(script: string, args: readonly string[] = [], env: Record<string, string> = {}): Spawned {
  const child = spawn(process.execPath, [...exportConditions(), script, ...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const watcher of watchers) watcher();
    });
  }
  const exited = once(child, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    process: child,
    output: () => output,
    exited,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(output);
          if (!match) return;
          watchers.delete(look);
          resolve(match);
        };
        watchers.add(look);
        void exited.then((how) => reject(new Error(`it ended with ${how} before it said ${pattern}:\n${output}`)));
        look();
      }),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
  };
}

/** The child resolves packages as this process does: from source in development. */
function exportConditions(): string[] {
  const { values } = parseArgs({
    args: process.execArgv,
    options: { conditions: { type: "string", short: "C", multiple: true } },
    strict: false,
  });
  return [values.conditions ?? []].flat().map((condition) => `--conditions=${condition}`);
}
