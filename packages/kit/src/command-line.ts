import { type Flags, readFlags } from "./flags.ts";
import type { OptionTable } from "./options.ts";
import { readVariables } from "./variables.ts";

export interface Sources {
  /** The sidecar's name: its variables start with it. */
  readonly name: string;
  /** Without the runtime and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What flags and environment hold, untyped: a flag beats a variable. */
export interface Collected extends Flags {
  readonly warnings: readonly string[];
}

/** Finds for every row of the table what was written for it on the command line or, failing that, in the environment. */
export function collectOptions(table: OptionTable, { name, argv, env }: Sources): Collected {
  const flags = readFlags(table, argv);
  const variables = readVariables(table, name, env);
  return { ...flags, written: new Map([...variables.written, ...flags.written]), warnings: variables.warnings };
}
