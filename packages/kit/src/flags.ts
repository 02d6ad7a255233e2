import { parseArgs } from "node:util";
import { describeFault } from "./errors.ts";
import { type Option, type OptionTable, optionNames } from "./options.ts";
import type { Written } from "./read-options.ts";

/** What a command line holds, by option, and everything that is wrong with it. */
export interface Flags {
  readonly written: ReadonlyMap<string, readonly Written[]>;
  readonly help: boolean;
  readonly version: boolean;
  readonly problems: readonly string[];
}

interface Row {
  readonly key: string;
  readonly option: Option;
  readonly name: string;
}

/** Reads a command line without stopping at the first problem. */
export function readFlags(table: OptionTable, argv: readonly string[]): Flags {
  const rows = rowsByFlag(table);
  const secrets = new Set(secretNames(table));
  const written = new Map<string, Written[]>();
  const problems: string[] = [];
  const asked = new Set<string>();
  let stranger: number | undefined;
  for (const token of tokensOf(argv, rows, secrets)) {
    // What follows an unknown flag is most likely its value, and nothing to show: it may be a secret.
    if (token.kind === "positional" && token.index - 1 !== stranger) problems.push(surplus(token.value));
    if (token.kind !== "option") continue;
    const row = rows.get(token.name);
    if (["help", "h", "version"].includes(token.name)) asked.add(token.name);
    else if (secrets.has(token.name) && !row) problems.push(exposed(token.rawName));
    else if (!row) {
      if (token.value === undefined) stranger = token.index;
      problems.push(unknown(token.rawName, [...rows.keys()]));
    } else {
      const value = row.option.type === "boolean" ? (token.value ?? "true") : token.value || undefined;
      if (value === undefined) problems.push(valueless(row.name));
      const one = { name: row.name, value, file: row.option.type === "secret" };
      written.set(row.key, [...(written.get(row.key) ?? []), one]);
    }
  }
  return { written, problems, help: asked.has("help") || asked.has("h"), version: asked.has("version") };
}

/** Every flag that the table knows, without its dashes; a secret's is that of its file. */
function rowsByFlag(table: OptionTable): ReadonlyMap<string, Row> {
  const rows = Object.entries(table).flatMap(([key, option]) =>
    optionNames(key, option).map((name) => {
      const flag = option.type === "secret" ? `${name}-file` : name;
      return [flag, { key, option, name: `--${flag}` }] as const;
    }),
  );
  return new Map(rows);
}

function tokensOf(argv: readonly string[], rows: ReadonlyMap<string, Row>, secrets: ReadonlySet<string>) {
  const takesValue = (name: string) => secrets.has(name) || (rows.get(name)?.option.type ?? "boolean") !== "boolean";
  const options = Object.fromEntries(
    [...rows.keys(), ...secrets].map((name) => [name, { type: takesValue(name) ? "string" : "boolean" } as const]),
  );
  return parseArgs({ args: unambiguous(argv, takesValue), options, strict: false, tokens: true }).tokens;
}

/** The names of secrets without `-file`: known, so that their values are not taken for something else and shown. */
function secretNames(table: OptionTable): string[] {
  return Object.entries(table).flatMap(([key, option]) => (option.type === "secret" ? optionNames(key, option) : []));
}

/**
 * Go programs write long flags with one dash; theirs work here too. A flag is never another flag's value: `--a --b`
 * leaves `a` empty. A value that starts with a dash is written `--a=-b`; numbers may follow as they are.
 */
function unambiguous(argv: readonly string[], takesValue: (name: string) => boolean): string[] {
  const words = argv.map((word) => word.replace(/^-(?=[a-z][^=])/i, "--"));
  return words.map((word, index) => {
    const next = words[index + 1] ?? "";
    return word.startsWith("--") && takesValue(word.slice(2)) && /^--?[a-z]/i.test(next) ? `${word}=` : word;
  });
}

function surplus(value: string): string {
  return describeFault({ subject: "argument", value, reason: "not expected here", remedy: "Options start with --" });
}

function valueless(subject: string): string {
  return describeFault({ subject, reason: "needs a value", remedy: `Write ${subject}=VALUE` });
}

function exposed(subject: string): string {
  const reason = "a secret is not taken from the command line, where others see it";
  return describeFault({ subject, reason, remedy: `Put it into a file and give ${subject}-file` });
}

function unknown(subject: string, names: readonly string[]): string {
  const near = names.find((name) => isNear(subject.replace(/^-+/, ""), name));
  const remedy = near ? `Did you mean --${near}? --help lists all` : "--help lists all";
  return describeFault({ subject, reason: "no such option", remedy });
}

/** One begins with the other, or all but two letters are the same from the front and the back. */
function isNear(written: string, name: string): boolean {
  const [short = "", long = ""] = [written, name].toSorted((a, b) => a.length - b.length);
  let front = 0;
  let back = 0;
  while (front < short.length && short[front] === long[front]) front++;
  while (back < short.length - front && short.at(-1 - back) === long.at(-1 - back)) back++;
  return front === short.length || (front + back > 2 && front + back >= long.length - 2);
}
