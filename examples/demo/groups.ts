import { setTimeout } from "node:timers/promises";
import { systemCode } from "@pillion/kit";

/** How long a process may take to end after SIGTERM, milliseconds: Docker's measure, too. */
export const GRACE = 10_000;

/** Sends a signal to a process group; false when nobody is left in it. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    // EPERM: macOS says so when only dead processes are left in it
    if (systemCode(error) === "ESRCH" || systemCode(error) === "EPERM") return false;
    throw error;
  }
}

/** Ends process groups whose parent is gone: SIGTERM, wait until they are empty, SIGKILL after the grace. */
export async function endGroups(groups: Iterable<number>, grace = GRACE): Promise<void> {
  let left = [...groups].filter((group) => signalGroup(group, "SIGTERM"));
  const deadline = performance.now() + grace;
  while (left.length > 0 && performance.now() < deadline) {
    await setTimeout(50);
    left = left.filter((group) => signalGroup(group, 0));
  }
  for (const group of left) signalGroup(group, "SIGKILL");
}
