import { garbageCollector } from "./garbage.ts";

/** By then what starts has started, milliseconds. */
const SETTLED = 3_000;
/** V8's memory reducer would come back with every pause of a load, which costs more than is gained (docs/decisions/0014). */
const NEEDED = "--no-memory-reducer";

/**
 * Where Node runs with `--no-memory-reducer`, gives back what only starting took, a moment from now. V8 keeps its young generation as large as
 * modules, options and certificates made it, and an idle program never allocates enough for it to look again: 3 to 5 MB for 25 ms of CPU time, once.
 */
export function releaseStartupMemory(): void {
  if (process.execArgv.includes(NEEDED)) setTimeout(() => garbageCollector("all")(), SETTLED).unref();
}
