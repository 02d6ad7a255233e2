import { createHash } from "node:crypto";
import type { Logger, TreeFile } from "@pillion/kit";

/** Files by their path relative to the target, with `/` between the parts. */
export type Files = ReadonlyMap<string, TreeFile>;

/** Where configuration comes from. `read` is all that a source of your own needs. */
export interface Source {
  /** What messages and /config call it. */
  readonly name: string;
  /** The directory that it reads, if it is one: target and source may not lie within each other. */
  readonly directory?: string;
  /**
   * Everything that should be in force now, from one moment. What it throws is reported, and what was last good stays:
   * an empty map is an order to remove everything, so never return one for "could not read".
   */
  read(reading: Reading): Promise<Files>;
  /**
   * Calls `changed` whenever a read may give something new; too often does no harm, as calls are collected and every read
   * is compared. Resolves when the signal has aborted and everything is freed. Without it, only `--resync` looks.
   */
  watch?(changed: () => void, watching: Watching): Promise<void>;
}

export interface Reading {
  readonly signal: AbortSignal;
  /** What was touched less than this long ago may be half written, milliseconds. */
  readonly quiet: number;
}

export interface Watching {
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** What tells one content from another: 64 bits of SHA-256 over paths, modes, owners and bytes, in hexadecimal. */
export function contentOf(files: Files): string {
  const hash = createHash("sha256");
  for (const [path, { bytes, mode, owner }] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${JSON.stringify([path, mode, owner?.uid, owner?.gid, bytes.length])}\n`).update(bytes);
  }
  return hash.digest("hex").slice(0, 16);
}
