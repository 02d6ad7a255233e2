// Node gives every TLS record (16 KiB at most) a buffer outside V8's heap. All but the last few are dead at once, but their
// objects are so small that V8 feels no need to look at its young generation, and marks its whole heap when they have
// come to some 32 MiB: 5 ms, and as much again on other threads. Young objects cost a tenth of it, and sooner.
import { garbageCollector } from "@pillion/kit";

/** Octets between two collections. V8 begins to mark when buffers and heap are 12 MB above what was in use last, or a bit before. */
const ENOUGH = 4 * 1024 * 1024;

let unclaimed = 0;
let collectYoung: (() => void) | undefined;

/** Counts a buffer that is read from a socket and soon forgotten. @param length octets */
export function countBuffer(length: number): void {
  unclaimed += length;
  if (unclaimed < ENOUGH) return;
  unclaimed = 0;
  collectYoung ??= garbageCollector("young");
  collectYoung();
}
