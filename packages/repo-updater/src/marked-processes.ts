import { setTimeout } from "node:timers/promises";
import { listPids, readEnvironment, supported } from "@pillion/procfs";

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

function marked(mark: string): number[] {
  return supported() ? listPids().filter((pid) => readEnvironment(pid)?.includes(mark)) : [];
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself.
  }
}
