/** Of all random choices here; fixed, so that a run that fails fails again. */
export const SEED = Number(process.env["READERS_SEED"] ?? 20_261_128);

/** Counts what happened, as a run that was refused everything proves nothing. */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  print(title: string): void {
    const lines = [...this.#counts].map(([what, count]) => `  ${count} × ${what}`);
    console.log([`${title}, READERS_SEED=${SEED}:`, ...lines].join("\n"));
  }
}
