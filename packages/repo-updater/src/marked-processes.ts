import { readFileSync, readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** Milliseconds between two looks. */
const PAUSE = 5;
/** Longest wait for processes that a signal doesn't end, such as one in an uninterruptible read. */
const PATIENCE = 2_000;

/**
 * Kills all processes that were started with this `NAME=value` in their environment, and waits until they are gone. A
 * program's children inherit the mark, so this also finds the ones that outlived their parent, where a process group
 * would have to be known. Of other users' processes nothing is seen. Without /proc it does nothing.
 *
 * @returns how many it found
 */
export async function killMarked(mark: string): Promise<number> {
  const killed = new Set<number>();
  const end = performance.now() + PATIENCE;
  while (performance.now() < end) {
    const left = marked(mark);
    if (left.length === 0) break;
    for (const pid of left) {
      killed.add(pid);
      kill(pid);
    }
    await setTimeout(PAUSE);
  }
  return killed.size;
}

/** proc(5): /proc/PID/environ is what exec was given, `NAME=value` with a NUL after each; empty for the dead. */
function marked(mark: string): number[] {
  const wanted = `\0${mark}\0`;
  return pids().filter((pid) => {
    try {
      return `\0${readFileSync(`/proc/${pid}/environ`, "utf8")}`.includes(wanted);
    } catch {
      return false;
    }
  });
}

function pids(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself.
  }
}
