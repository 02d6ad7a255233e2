import { Writable } from "node:stream";
import { type Context, type Logger, messageOf } from "@pillion/kit";
import type { ConditionState, Level, ToPrimary } from "./messages.ts";

export type Send = (message: ToPrimary, sent?: () => void) => void;

/** The log of a worker: the primary writes it. */
export function sentLog(send: Send): Logger {
  const make = (bound: Record<string, unknown>): Logger => {
    const at = (level: Level) => (first: unknown, second?: unknown) => {
      const text = typeof first === "string" ? first : typeof second === "string" ? second : "";
      const fields = typeof first === "object" ? { ...bound, ...first } : bound;
      send({ kind: "log", level, fields: plain(fields), text });
    };
    return {
      trace: at("trace"),
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      fatal: at("fatal"),
      child: (fields) => make({ ...bound, ...fields }),
    };
  };
  return make({});
}

/** What can be sent to another process. */
function plain(fields: Record<string, unknown>): Record<string, unknown> {
  const replace = (_key: string, value: unknown) => {
    if (value instanceof Error) return messageOf(value);
    return typeof value === "bigint" ? String(value) : value;
  };
  return JSON.parse(JSON.stringify(fields, replace)) as Record<string, unknown>;
}

/** The health of a worker: the primary keeps it. Only changes are sent, as some report with each request. */
export function sentHealth(send: Send): Context["health"] {
  return {
    condition(name) {
      let known: ConditionState = { level: "ok", reason: "" };
      const report = (level: ConditionState["level"], reason = "") => {
        if (level === known.level && reason === known.reason) return;
        known = { level, reason };
        send({ kind: "condition", name, state: known });
      };
      return {
        ok: () => report("ok"),
        degraded: (reason) => report("degraded", reason),
        failed: (reason) => report("failed", reason),
      };
    },
  };
}

/** Where a worker's access log goes: the primary writes it, so that nobody else's line is broken into. */
export function sentLines(send: Send): Writable {
  return new Writable({
    decodeStrings: false,
    write: (lines: string, _encoding, done) => send({ kind: "access", lines }, done),
  });
}
