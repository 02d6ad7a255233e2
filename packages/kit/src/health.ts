import type { Logger } from "./log.ts";

type Level = "ok" | "degraded" | "failed";
interface State {
  /** False until it was ok for the first time, when it has to be for the sidecar to count as started. */
  established: boolean;
  level: Level;
  reason: string;
  repeated: number;
}

/** One thing that can go wrong with a sidecar, reported by whoever looks after it. */
export interface Condition {
  ok(): void;
  /** What was last good is in force. Before anything was good: not ready, with the same reason. */
  degraded(reason: string): void;
  /** Nothing good is in force. */
  failed(reason: string): void;
}

/** How a sidecar is, for probes: its conditions, the worst of which counts. */
export interface Health {
  /**
   * @param name what the reason belongs to, such as `sync`
   * @param initially `pending`: the sidecar has started only when this was ok once
   */
  condition(name: string, initially?: "ok" | "pending"): Condition;
}

export interface HealthStatus {
  readonly started: boolean;
  readonly ready: boolean;
  readonly degraded: boolean;
  /** `ready`, `degraded: …`, `starting: …` or `not ready: …`. */
  readonly text: string;
}

/** Keeps the conditions of one sidecar and logs every change of them once. */
export class HealthRecord implements Health {
  readonly #conditions = new Map<string, State>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  condition(name: string, initially: "ok" | "pending" = "ok"): Condition {
    const state: State = { established: initially === "ok", level: "ok", reason: "", repeated: 0 };
    const own = this.#unused(name);
    this.#conditions.set(own, state);
    const change = (level: Level, reason: string) => this.#change(own, state, level, reason);
    return {
      ok: () => change("ok", ""),
      degraded: (reason) => change("degraded", reason),
      failed: (reason) => change("failed", reason),
    };
  }

  status(): HealthStatus {
    const all = [...this.#conditions.entries()];
    const say = (these: typeof all) =>
      these.map(([name, { reason }]) => (reason ? `${name}: ${reason}` : `${name} pending`)).join("; ");
    const pending = all.filter(([, { established }]) => !established);
    const failed = all.filter(([, { level }]) => level === "failed");
    const degraded = all.filter(([, { level, established }]) => established && level === "degraded");
    const started = pending.length === 0;
    if (!started) return { started, ready: false, degraded: false, text: `starting: ${say(pending)}` };
    if (failed.length > 0) return { started, ready: false, degraded: true, text: `not ready: ${say(failed)}` };
    if (degraded.length > 0) return { started, ready: true, degraded: true, text: `degraded: ${say(degraded)}` };
    return { started, ready: true, degraded: false, text: "ready" };
  }

  /** Two loops may have been named alike; each counts. */
  #unused(name: string): string {
    let own = name;
    for (let number = 2; this.#conditions.has(own); number++) own = `${name} ${number}`;
    return own;
  }

  #change(name: string, state: State, level: Level, reason: string): void {
    const wasTrouble = state.level !== "ok";
    if (level === "ok") {
      // What is well is said with every request.
      if (!wasTrouble && state.established) return;
      if (wasTrouble) this.#log.info({ condition: name, after: state.repeated + 1 }, "recovered");
      Object.assign(state, { established: true, level, reason, repeated: 0 });
    } else if (level === state.level && reason === state.reason) state.repeated++;
    else {
      this.#log[level === "failed" ? "error" : "warn"]({ condition: name, state: level }, reason);
      Object.assign(state, { level, reason, repeated: 0 });
    }
  }
}
