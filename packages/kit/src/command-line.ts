import { parseArgs } from "node:util";
import { describeFault } from "./errors.ts";
import { type Option, type OptionTable, environmentName, flagName, optionNames } from "./options.ts";
import type { Written } from "./read-options.ts";

export interface Sources {
  /** The sidecar's name: its variables start with it. */
  readonly name: string;
  /** Without the runtime and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What flags and environment hold, untyped: a flag beats a variable. */
export interface Collected {
  readonly written: ReadonlyMap<string, readonly Written[]>;
  readonly help: boolean;
  readonly version: boolean;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Finds for every row of the table what was written for it on the command line or, failing that, in the environment. */
export function collectOptions(table: OptionTable, { name, argv, env }: Sources): Collected {
  const flags = readFlags(table, argv);
  const variables = readEnvironment(table, name, env);
  return { ...flags, written: new Map([...variables.written, ...flags.written]), warnings: variables.warnings };
}

function readFlags(table: OptionTable, argv: readonly string[]): Omit<Collected, "warnings"> {
  const rows = new Map<string, { key: string; option: Option; name: string }>();
  for (const [key, option] of Object.entries(table)) {
    for (const name of optionNames(key, option)) {
      const flag = option.type === "secret" ? `${name}-file` : name;
      rows.set(flag, { key, option, name: `--${flag}` });
    }
  }
  const written = new Map<string, Written[]>();
  const problems: string[] = [];
  const asked = new Set<string>();
  const known = (name: string) => rows.has(name);
  const options = Object.fromEntries(
    [...rows].map(([name, { option }]) => [name, { type: option.type === "boolean" ? "boolean" : "string" } as const]),
  );
  const { tokens } = parseArgs({ args: argv.map((word) => withTwoDashes(word, known)), options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") problems.push(surplus(token.value));
    if (token.kind !== "option") continue;
    const row = rows.get(token.name);
    if (token.name === "help" || token.rawName === "-h" || token.name === "version") asked.add(token.name);
    else if (!row) problems.push(unknown(token.rawName, table, rows));
    else if (row.option.type !== "boolean" && (token.value ?? "") === "") problems.push(valueless(row.name));
    else {
      const one = { name: row.name, value: token.value ?? "true", file: row.option.type === "secret" };
      written.set(row.key, [...(written.get(row.key) ?? []), one]);
    }
  }
  return { written, problems, help: asked.has("help") || asked.has("h"), version: asked.has("version") };
}

/** Go programs write long flags with one dash; theirs work here too. */
function withTwoDashes(word: string, known: (name: string) => boolean): string {
  const single = /^-([a-z][a-z0-9-]+)(?==|$)/.exec(word);
  return single?.[1] && known(single[1]) ? `-${word}` : word;
}

function surplus(value: string): string {
  return describeFault({ subject: "argument", value, reason: "not expected here", remedy: "Options start with --" });
}

function valueless(subject: string): string {
  return describeFault({ subject, reason: "needs a value", remedy: `Write ${subject}=VALUE` });
}

function unknown(flag: string, table: OptionTable, flags: ReadonlyMap<string, unknown>): string {
  const name = flag.replace(/^-+/, "");
  const secret = Object.entries(table).find(([key, option]) => option.type === "secret" && flagName(key) === name);
  if (secret) {
    const remedy = `Put it into a file and give --${name}-file`;
    return describeFault({ subject: flag, reason: "a secret is not taken from the command line, where others see it", remedy });
  }
  const near = [...flags.keys()].find((one) => one.startsWith(name) || name.startsWith(one));
  const remedy = near ? `Did you mean --${near}? --help lists all` : "--help lists all";
  return describeFault({ subject: flag, reason: "no such option", remedy });
}

function readEnvironment(table: OptionTable, name: string, env: Sources["env"]): Pick<Collected, "written" | "warnings"> {
  const prefix = environmentName(name, "");
  const written = new Map<string, readonly Written[]>();
  const known = new Set<string>();
  for (const [key, option] of Object.entries(table)) {
    for (const word of optionNames(key, option)) {
      for (const file of option.type === "secret" ? [false, true] : [false]) {
        const variable = environmentName(name, word, ...(file ? ["file"] : []));
        const value = env[variable];
        known.add(variable);
        if (value === undefined || value === "" || written.has(key)) continue;
        const parts = option.repeat ? value.split(",").map((part) => part.trim()) : [value];
        written.set(key, parts.map((part) => ({ name: variable, value: part, file })));
      }
    }
  }
  const unknownNames = Object.keys(env).filter((one) => one.startsWith(prefix) && !known.has(one) && !isServiceLink(one, prefix));
  const warnings = unknownNames.map((subject) =>
    describeFault({ subject, reason: "no option is called so, it has no effect", remedy: "--help lists all" }),
  );
  return { written, warnings };
}

/** Kubernetes injects these for a service that is called like the sidecar (kubernetes.io, "Service environment variables"). */
function isServiceLink(variable: string, prefix: string): boolean {
  return /^(?:PORT(?:_.*)?|SERVICE_.*)$/.test(variable.slice(prefix.length));
}
