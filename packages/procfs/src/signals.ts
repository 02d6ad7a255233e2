import { constants } from "node:os";
import type { Status } from "./status.ts";

/** Has a handler for it, so the signal doesn't do its default. `null`: the kernel doesn't say (gVisor). */
export function catches(status: Status, signal: NodeJS.Signals): boolean | null {
  return has(status.caught, signal);
}

/** Set to be ignored: sending it has no effect. */
export function ignores(status: Status, signal: NodeJS.Signals): boolean | null {
  return has(status.ignored, signal);
}

/** Held back by the main thread; another thread may still take it. */
export function blocks(status: Status, signal: NodeJS.Signals): boolean | null {
  return has(status.blocked, signal);
}

/** Signal n is bit n-1 of the mask, proc_pid_status(5). */
function has(mask: bigint | null, signal: NodeJS.Signals): boolean | null {
  return mask === null ? null : ((mask >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}
