import { garbageCollector } from "./garbage.ts";

/** By then what starts has started, milliseconds. */
const SETTLED = 3_000;

/**
 * Gives back the memory that only starting took, a moment from now. V8 keeps its young generation as large as modules, options and
 * certificates made it, and an idle program never allocates enough for it to look again: 3 to 5 MB for the price of 25 ms of CPU time, once.
 */
export function releaseStartupMemory(): void {
  setTimeout(() => garbageCollector("all")(), SETTLED).unref();
}
