import { parseArgs } from "node:util";
import { type Proxy, customProxy, proxies } from "./proxies.ts";
import { type Length, type Measurement, measurements } from "./measurements.ts";

export interface Wanted extends Length {
  readonly measurements: readonly Measurement[];
  readonly proxies: readonly Proxy[];
  /** Of the proxy; of everything else. */
  readonly cores: readonly [string, string];
  readonly write: boolean;
  readonly help: boolean;
}

const options = {
  only: { type: "string" },
  peers: { type: "string" },
  command: { type: "string", multiple: true },
  runs: { type: "string" },
  seconds: { type: "string" },
  idle: { type: "string" },
  churn: { type: "string" },
  cores: { type: "string" },
  write: { type: "boolean" },
  help: { type: "boolean" },
} as const;

export const help = `Measures tls-proxy and its peers side by side, on this machine, over loopback.

npm run bench:tls-proxy                      everything, and writes its part of bench/RESULTS.md
npm run bench:tls-proxy -- --only http1-1k --peers nginx,relay --runs 1 --seconds 3
                                             a part of it, which writes nothing

  --only NAME,…         ${measurements.map(({ name }) => name).join(", ")}; http1 is all that begin so
  --peers NAME,…        ${proxies.map(({ name }) => name).join(", ")}
  --command NAME=LINE   a further proxy: program and arguments, where {port}, {admin}, {upstream} (ports on 127.0.0.1),
                        {certificate}, {key}, {pem} (both in one file) and {directory} are filled in; may be repeated
  --runs N              rounds, in which all take turns; 5
  --seconds N           of each run; 5
  --idle N              idle connections; 5000
  --churn DURATION      of clients that come and go, such as 10m; 60s
  --cores A,B           A for the proxy, B for everything else; 0,1
  --write               writes bench/RESULTS.md after a part as well
  --help                this text`;

/** @throws with a message for who typed it */
export function parseCommandLine(args: readonly string[]): Wanted {
  const { values } = parseArgs({ args: [...args], options });
  const [proxyCore, otherCore, ...more] = list(values.cores ?? "0,1");
  if (proxyCore === undefined || otherCore === undefined || more.length > 0)
    throw new Error(`--cores "${values.cores}": not two cores. It is A,B`);
  const isPart = [values.only, values.peers, values.command, values.runs, values.seconds, values.idle].some(Boolean);
  return {
    measurements: chosen("--only", values.only, measurements),
    proxies: [...chosen("--peers", values.peers, proxies), ...(values.command ?? []).map((text) => customProxy(text))],
    runs: count("--runs", values.runs ?? "5"),
    seconds: count("--seconds", values.seconds ?? "5"),
    idle: count("--idle", values.idle ?? "5000"),
    churn: duration("--churn", values.churn ?? "60s"),
    cores: [proxyCore, otherCore],
    write: values.write ?? !isPart,
    help: values.help ?? false,
  };
}

/** Those that are named, or whose names begin so before a dash. */
function chosen<T extends { readonly name: string }>(option: string, text: string | undefined, all: readonly T[]): T[] {
  if (text === undefined) return [...all];
  const found = new Set<T>();
  for (const wanted of list(text)) {
    const exact = all.filter(({ name }) => name === wanted);
    const matching = exact.length > 0 ? exact : all.filter(({ name }) => name.startsWith(`${wanted}-`));
    if (matching.length === 0)
      throw new Error(`${option} "${wanted}": not known. There are ${all.map(({ name }) => name).join(", ")}`);
    for (const each of matching) found.add(each);
  }
  return all.filter((each) => found.has(each));
}

function list(text: string): string[] {
  return text.split(",").filter(Boolean);
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option} "${text}": not a number of 1 or more`);
  return value;
}

/** Seconds. */
function duration(option: string, text: string): number {
  const [, value, unit] = /^([1-9]\d*)([sm])$/.exec(text) ?? [];
  if (value === undefined) throw new Error(`${option} "${text}": not a duration, such as 30s or 10m`);
  return Number(value) * (unit === "m" ? 60 : 1);
}
