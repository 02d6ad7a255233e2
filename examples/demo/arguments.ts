import { parseArgs } from "node:util";
import { describeFault } from "@pillion/kit";
import { type PortName, type Ports, portNames, portTable, portsOf } from "./ports.ts";

export interface DemoArguments {
  /** 0 is any free port. */
  readonly ports: Ports;
  readonly tour: boolean;
  readonly help: boolean;
}

/** Reads the command line: what it asks for, or everything that is wrong with it. */
export function parseArguments(argv: readonly string[]): DemoArguments | { readonly problems: readonly string[] } {
  const flags = new Map<string, PortName>(portNames.map((name) => [portTable[name].option, name]));
  const options = Object.fromEntries([...flags.keys()].map((flag) => [flag, { type: "string" } as const]));
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const chosen: Partial<Record<PortName, number>> = {};
  const asked = new Set<string>();
  const problems: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") problems.push(unknown(token.value));
    if (token.kind !== "option") continue;
    const name = flags.get(token.name);
    if (token.name === "tour" || token.name === "help" || token.rawName === "-h") asked.add(token.name);
    else if (name === undefined) problems.push(unknown(token.rawName));
    else if (isPort(token.value)) chosen[name] = Number(token.value);
    else problems.push(notAPort(token.rawName, token.value));
  }
  if (problems.length > 0) return { problems };
  const tour = asked.has("tour");
  return {
    ports: portsOf((name) => chosen[name] ?? (tour ? 0 : portTable[name].usual)),
    tour,
    help: asked.has("help") || asked.has("h"),
  };
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) < 65_536;
}

function unknown(word: string): string {
  return describeFault({ subject: word, reason: "no such option", remedy: "--help lists them all" });
}

function notAPort(flag: string, value: string | undefined): string {
  return describeFault({
    subject: flag,
    value,
    reason: "needs a port",
    remedy: "Give a number from 1 to 65535, or 0 for any that is free",
  });
}

export function helpText(): string {
  const rows = portNames.map(
    (name) => [`--${portTable[name].option} N`, `${portTable[name].what} (${portTable[name].usual})`] as const,
  );
  const all = [
    ["--tour", "does what a person would do, checks it from outside, and exits with 0 or 1"],
    ...rows,
    ["--help", "this text"],
  ] as const;
  return [
    "The demo: an app that nobody may change, and four sidecars beside it, as plain processes.",
    "",
    "npm start                 runs it until Ctrl-C",
    "npm start -- [options]",
    "",
    ...all.map(([flag, help]) => `  ${flag.padEnd(24)}${help}`),
    "",
    "Port 0 is any that is free; --tour takes free ports for all that aren't named.",
  ].join("\n");
}
