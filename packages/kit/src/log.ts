import { type Logger as PinoLogger, type LoggerOptions, levels, pino } from "pino";
import { messageOf } from "./errors.ts";
import { redact } from "./redact.ts";

/** Structured log: `log.info({ pid }, "signalled")`. */
export type Logger = Pick<PinoLogger, "trace" | "debug" | "info" | "warn" | "error" | "fatal"> & {
  child(fields: Record<string, unknown>): Logger;
};

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export const logFormats = ["auto", "json", "pretty"] as const;

/** What a log is written to. */
export interface LogOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

export interface LogOptions {
  readonly level: (typeof logLevels)[number];
  /** `auto` is `pretty` on a terminal, else `json`. */
  readonly format: (typeof logFormats)[number];
}

/** One JSON object a line, or text for people; credentials in URLs are taken out, and a warning repeated is counted. */
export async function createLog({ level, format }: LogOptions, output: LogOutput): Promise<Logger> {
  const pretty = format === "pretty" || (format === "auto" && output.isTTY === true);
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: redactFields },
    hooks: { logMethod: countRepeats() },
  };
  return pino(options, pretty ? await prettyStream(output) : { write: (line: string) => void output.write(line) });
}

/** Loaded only where a person looks on: half of its start-up time would be the sidecar's. */
async function prettyStream(output: LogOutput): Promise<{ write(line: string): void }> {
  const { prettyFactory } = await import("pino-pretty");
  const prettify = prettyFactory({
    colorize: output.isTTY === true,
    ignore: "sidecar",
    messageFormat: "{if sidecar}{sidecar}: {end}{msg}",
  });
  return { write: (line) => void output.write(prettify(line)) };
}

/** Credentials hide at any depth: in a list, in an error, in a URL object. */
function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  try {
    return JSON.parse(JSON.stringify(fields, (_key, value: unknown) => redactValue(value))) as Record<string, unknown>;
  } catch (error) {
    return { unprintable: messageOf(error) };
  }
}

function redactValue(value: unknown): unknown {
  if (value instanceof Error) return messageOf(value);
  if (typeof value === "bigint") return String(value);
  return typeof value === "string" ? redact(value) : value;
}

const WARN = levels.values["warn"] ?? 40;
const REMEMBERED = 1000;
/** A warning that comes back after this is news. Milliseconds. */
const QUIET = 60_000;

/** Lets the 1st, 2nd, 4th, 8th … occurrence of one warning through, each with its count, until it was quiet for a minute. */
function countRepeats(): NonNullable<NonNullable<LoggerOptions["hooks"]>["logMethod"]> {
  const seen = new Map<string, { readonly times: number; readonly at: number }>();
  return function count(inputs, method, level) {
    const [first, second] = inputs as unknown[];
    const message = first instanceof Error ? (second ?? first.message) : typeof first === "string" ? first : second;
    if (typeof message !== "string") return method.apply(this, inputs);
    const fields = first instanceof Error ? { err: first } : typeof first === "object" ? first : {};
    if (level < WARN) return method.apply(this, [fields, redact(message)]);
    if (seen.size >= REMEMBERED) seen.clear();
    const key = `${level} ${String(this.bindings()["sidecar"])} ${message}`;
    const [before, at] = [seen.get(key), performance.now()];
    const times = before && at - before.at < QUIET ? before.times + 1 : 1;
    seen.set(key, { times, at });
    if ((times & (times - 1)) !== 0) return;
    method.apply(this, [times === 1 ? fields : { ...fields, times }, redact(message)]);
  };
}
