import type { Marks } from "./marks.ts";

/** A generation that readers can see: its name, and the content that the name stands for. */
export interface Generation {
  readonly name: string;
  readonly content: string;
}

export interface Situation {
  readonly published: Generation | undefined;
  readonly marks: Marks;
  /** Whether there is an app to tell. */
  readonly tells: boolean;
}

/**
 * - `rest`: nothing is pending
 * - `go back`: readers see what the app died of, and there is something better
 * - `tell`: the app doesn't know yet
 * - `watch`: the app knows, but hasn't shown yet that it lives with it
 * - `commit`: nobody has to know
 */
export type Step = "rest" | "go back" | "tell" | "watch" | "commit";

/** What to do about what is published, whether a moment or a crash and a restart lie between it and the last step. */
export function nextStep({ published, marks, tells }: Situation): Step {
  if (!published) return "rest";
  const isCommitted = marks.committed === published.name;
  if (Object.hasOwn(marks.quarantined, published.content) && marks.committed !== undefined && !isCommitted)
    return "go back";
  if (!tells) return isCommitted ? "rest" : "commit";
  if (marks.notified?.generation !== published.name) return "tell";
  return isCommitted ? "rest" : "watch";
}
