import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What V8 is told to collect: the young generation, or all that it can spare, whereupon its heap shrinks. */
export type Garbage = "young" | "all";

/** What `--expose-gc` gives to scripts, without that the program has to be started with it. @returns collects, and blocks meanwhile */
export function garbageCollector(garbage: Garbage): () => void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options: { type: "minor" | "major"; flavor?: "last-resort" }) => void;
  setFlagsFromString("--no-expose-gc");
  return garbage === "young" ? () => gc({ type: "minor" }) : () => gc({ type: "major", flavor: "last-resort" });
}
