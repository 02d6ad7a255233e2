import { readStat } from "./process-row.ts";
import { hasExited } from "./stat.ts";

/**
 * What a process is: pids are used again, a pid with its start time is not. The start time is in raw clock ticks since boot
 * (field 22 of stat), never in wall-clock time, because the kernel's idea of the boot time moves when the clock is set.
 * It survives `exec`.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: number;
}

/** The identity of whatever has this pid now (also of a zombie), or undefined when nothing has. */
export function identify(pid: number, root = "/proc"): ProcessIdentity | undefined {
  const stat = readStat(pid, root);
  return stat && { pid: stat.pid, startTime: stat.startTime };
}

/** Takes anything that carries an identity, such as a `Stat`. */
export function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime;
}

/** False when it is gone, when another process has its pid, and when it is dead but not yet collected by its parent. */
export function stillRunning(identity: ProcessIdentity, root = "/proc"): boolean {
  const stat = readStat(identity.pid, root);
  return stat !== undefined && isSame(stat, identity) && !hasExited(stat);
}
