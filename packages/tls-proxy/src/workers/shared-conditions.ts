import type { Condition, Health } from "@pillion/kit";
import type { ConditionState } from "./messages.ts";

const SEVERITY = { ok: 0, degraded: 1, failed: 2 } as const;

/** Conditions of several processes under one name each: the worst counts, of equals that of the lowest number. */
export class SharedConditions {
  readonly #health: Health;
  readonly #byName = new Map<string, { readonly condition: Condition; readonly states: Map<number, ConditionState> }>();

  constructor(health: Health) {
    this.#health = health;
  }

  /** What one process reports to. */
  of(process: number): Health {
    return {
      condition: (name) => ({
        ok: () => this.set(process, name, { level: "ok", reason: "" }),
        degraded: (reason) => this.set(process, name, { level: "degraded", reason }),
        failed: (reason) => this.set(process, name, { level: "failed", reason }),
      }),
    };
  }

  set(process: number, name: string, state: ConditionState): void {
    const shared = this.#shared(name);
    shared.states.set(process, state);
    this.#tell(shared);
  }

  /** Of a process that has ended, nothing is known any more. */
  forget(process: number): void {
    for (const shared of this.#byName.values()) if (shared.states.delete(process)) this.#tell(shared);
  }

  #shared(name: string) {
    const known = this.#byName.get(name);
    if (known) return known;
    const fresh = { condition: this.#health.condition(name), states: new Map<number, ConditionState>() };
    this.#byName.set(name, fresh);
    return fresh;
  }

  #tell({ condition, states }: { condition: Condition; states: ReadonlyMap<number, ConditionState> }): void {
    const inOrder = [...states].toSorted(([one], [other]) => one - other).map(([, state]) => state);
    const [worst] = inOrder.toSorted((one, other) => SEVERITY[other.level] - SEVERITY[one.level]);
    if (!worst || worst.level === "ok") condition.ok();
    else condition[worst.level](worst.reason);
  }
}
