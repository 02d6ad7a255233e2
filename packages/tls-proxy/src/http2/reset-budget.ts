/** Streams that a client may break off at once: a browser that leaves a page breaks off all it has, twice over. */
const BURST = 256;
/** And how many a second in the long run. */
const RATE = 33;

/**
 * Counts streams that ended without an answer, by a reset of either side. Who opens and breaks off streams at will has
 * the app begin work that nobody wants (CVE-2023-44487); who has them reset by us for what it sends, just so
 * (CVE-2025-8671).
 */
export class ResetBudget {
  #left = BURST;
  #since = performance.now();

  /** @returns whether it is within what a client may do */
  spend(): boolean {
    const now = performance.now();
    this.#left = Math.min(BURST, this.#left + ((now - this.#since) / 1000) * RATE);
    this.#since = now;
    return --this.#left >= 0;
  }
}
