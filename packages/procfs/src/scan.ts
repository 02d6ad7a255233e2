import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type ProcessRow, readProcess } from "./process-row.ts";

export interface ScanOptions {
  readonly root?: string;
  readonly signal?: AbortSignal;
}

/** Pids of all processes (not threads), ascending. */
export function listPids(root = "/proc"): number[] {
  return readdirSync(root)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** All processes, ascending by pid; one that vanishes during the scan is left out. Throws the signal's reason. */
export async function* scan(options: ScanOptions = {}): AsyncGenerator<ProcessRow, void, void> {
  for await (const pid of eachPid(options)) {
    const row = readProcess(pid, options);
    if (row) yield row;
  }
}

const SLICE_MILLISECONDS = 5;

/** Pids, with the event loop let run in between, so that a host with 10,000 processes doesn't stop the server. */
export async function* eachPid(options: ScanOptions): AsyncGenerator<number, void, void> {
  const { root, signal } = options;
  let pause = performance.now() + SLICE_MILLISECONDS;
  for (const pid of listPids(root)) {
    signal?.throwIfAborted();
    if (performance.now() >= pause) {
      await setImmediate();
      pause = performance.now() + SLICE_MILLISECONDS;
    }
    yield pid;
  }
}
