/**
 * Tells whether anybody but topz itself is to be seen. In a PID namespace of its own nobody is: sharing was forgotten.
 * A probe that an engine runs in the container comes and goes: who is new counts when it is there twice.
 */
export class Company {
  readonly #self: number;
  #others: ReadonlySet<number> | undefined;

  constructor(self: number) {
    this.#self = self;
  }

  /** @param pids of all processes that a sample found */
  isAlone(pids: readonly number[]): boolean {
    const others = new Set(pids.filter((pid) => pid !== this.#self));
    const known = this.#others ?? others;
    this.#others = others;
    return !others.values().some((pid) => known.has(pid));
  }
}
