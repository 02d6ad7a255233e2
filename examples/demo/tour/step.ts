import type { Demo } from "../demo.ts";
import type { ProgramName } from "../programs.ts";

/** Something that a person would do, and what they would see: checked from outside, by asking as they would. */
export interface Step {
  /** What is true when it was fine. */
  readonly title: string;
  /** Whose log lines help when it wasn't. */
  readonly concerns: readonly ProgramName[];
  /** Milliseconds. */
  readonly limit: number;
  /** Rejects when something is not as the title says. */
  run(demo: Demo, signal: AbortSignal): Promise<void>;
}

/** Refuses what isn't so, with a message that says what was seen. */
export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}
