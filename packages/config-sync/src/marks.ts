import type { ProcessIdentity } from "@pillion/procfs";

/**
 * How far configuration has come. The first mark, *published*, is the link that readers follow; these are the others. They
 * are kept beside it on the same volume, so that they are lost together or not at all.
 */
export interface Marks {
  /** The generation that the app was told of last; null: no app ran, and one that starts later reads it by itself. */
  readonly notified?: { readonly generation: string; readonly process: ProcessIdentity | null };
  /** The generation that the app is known to live with, or that nobody has to be told of. */
  readonly committed?: string;
  /** Why there was nothing to go back to when the app died. */
  readonly failed?: string;
  /** Contents that the app died of, with the reason, oldest first. */
  readonly quarantined: Readonly<Record<string, string>>;
}

export const NO_MARKS: Marks = { quarantined: {} };

/** Readers see another generation from now on: whatever went wrong before is over. */
export function published({ failed: _, ...marks }: Marks): Marks {
  return marks;
}

/** Told again, a generation has to prove itself again. */
export function notified(marks: Marks, generation: string, process: ProcessIdentity | null): Marks {
  const { committed: proven, ...others } = marks;
  const still = proven === undefined || proven === generation ? {} : { committed: proven };
  return { ...others, ...still, notified: { generation, process } };
}

export function committed({ failed: _, ...marks }: Marks, generation: string): Marks {
  return { ...marks, committed: generation };
}

/** Enough to break every loop between a few contents, and no more. */
const REMEMBERED = 100;

/** The app died of a content: what comes next has to be told, even when the app was told of it before. */
export function quarantined({ notified: _, ...marks }: Marks, content: string, reason: string): Marks {
  const all = Object.entries({ ...marks.quarantined, [content]: reason });
  return { ...marks, quarantined: Object.fromEntries(all.slice(-REMEMBERED)) };
}
