import { resolve } from "node:path";
import { type Address, formatAddress, isAddress, parseAddress } from "./address.ts";
import { redact } from "./redact.ts";

/** How one kind of option value is read from text. `parse` throws a RangeError that says why a text is none. */
export interface OptionType<Value> {
  /** What help shows for the value: `DURATION`. */
  readonly placeholder: string;
  /** What would be right, for the message about what is wrong: `a duration such as 150ms or 20s`. */
  readonly expects: string;
  parse(text: string): Value;
  /** Whether what a program gives, and isn't text, is one; without it all passes. */
  is?(value: unknown): boolean;
  /** The text of a value, for /config; default: `String`. */
  format?(value: Value): string;
}

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** The kinds of value that an option table names by a word. */
export const optionTypes = {
  string: { placeholder: "TEXT", expects: "a text that isn't empty", parse: nonEmpty, is: () => false },
  path: { placeholder: "PATH", expects: "a path", parse: (text: string) => resolve(nonEmpty(text)), is: () => false },
  boolean: {
    placeholder: "",
    expects: "true or false",
    parse: parseBoolean,
    is: (value: unknown) => typeof value === "boolean",
  },
  integer: { placeholder: "N", expects: "a whole number", parse: parseInteger, is: Number.isSafeInteger },
  /** Milliseconds. */
  duration: {
    placeholder: "DURATION",
    expects: "a duration such as 150ms, 20s or 1m30s",
    parse: (text: string) => parseUnits(text, DURATION_UNITS, "a duration"),
    is: isAmount,
    format: (value: number) => `${value}ms`,
  },
  /** Bytes. */
  size: {
    placeholder: "SIZE",
    expects: "a size such as 512B, 64KiB or 10MB",
    parse: (text: string) => parseUnits(text, SIZE_UNITS, "a size"),
    is: isAmount,
    format: (value: number) => `${value}B`,
  },
  address: {
    placeholder: "ADDRESS",
    expects: "host:port, [v6]:port, :port for all interfaces, or unix:/path",
    parse: parseAddress,
    is: isAddress,
    format: (value: Address) => formatAddress(value),
  },
  url: {
    placeholder: "URL",
    expects: "an absolute URL such as https://example.com/",
    parse: parseUrl,
    is: (value: unknown) => value instanceof URL,
    format: (value: URL) => redact(value.href),
  },
} as const;

/** NaN is told of as what it is. */
function isAmount(value: unknown): boolean {
  return typeof value === "number" && !(value < 0);
}

function nonEmpty(text: string): string {
  if (text === "") throw new RangeError("empty");
  return text;
}

function parseBoolean(text: string): boolean {
  if (text === "true") return true;
  if (text === "false") return false;
  throw new RangeError("neither true nor false");
}

function parseInteger(text: string): number {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) throw new RangeError("not a whole number");
  return value;
}

/** Sums parts such as `1m30s`; a bare `0` needs no unit. */
function parseUnits(text: string, units: Readonly<Record<string, number>>, what: string): number {
  if (text === "0") return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([A-Za-z]+)/g)];
  const whole = parts.map(([part]) => part).join("");
  let sum = 0;
  for (const [, number, unit = ""] of parts) {
    const factor = units[unit];
    if (factor === undefined) throw new RangeError(`${JSON.stringify(unit)} is no unit of ${what}`);
    sum += Number(number) * factor;
  }
  if (parts.length === 0 || whole !== text) throw new RangeError(`not ${what}`);
  if (!Number.isSafeInteger(Math.ceil(sum))) throw new RangeError("too large");
  return Math.round(sum);
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url) throw new RangeError("not an absolute URL");
  return url;
}
