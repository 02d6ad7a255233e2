import type { Address } from "./address.ts";
import type { Health } from "./health.ts";
import type { Identity } from "./identity.ts";
import { UsageError, describeFault } from "./errors.ts";
import type { Logger } from "./log.ts";
import type { MetricSnapshot } from "./metric-snapshots.ts";
import type { Metrics } from "./metrics.ts";
import {
  type Input,
  type Option,
  type OptionTable,
  type Options,
  type Values,
  defineOptions,
  typeOf,
} from "./options.ts";
import { type Written, readOptions } from "./read-options.ts";
import type { Handler } from "./routes.ts";

/** What a sidecar is given when it starts. */
export interface Context {
  /** Aborts as soon as it is asked to stop, before the drain delay: it isn't ready any more, and still has to serve. */
  readonly stopping: AbortSignal;
  /** Aborts when draining starts, just before `stop` is called. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Names get the sidecar's prefix. */
  readonly metrics: Metrics;
  readonly health: Health;
  readonly admin: {
    /** Where its endpoints listen, those of `--health-listen` too. */
    readonly addresses: readonly Address[];
    /** Adds an endpoint to the admin listener: `GET /path`. Of several sidecars in one process: `/<name>/path`. */
    route(route: string, handler: Handler): void;
    /** Has /metrics sum up those of further processes with this one's, asked for at each scrape. */
    includeMetrics(ask: () => Promise<readonly MetricSnapshot[]>): void;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a sidecar that was started hands back. */
export interface Running {
  /**
   * Stops accepting, waits for what is under way, and frees everything.
   *
   * @param deadline aborts when the shutdown time-out ends: what is left has to be cut off then, with a rejection
   */
  stop(deadline: AbortSignal): Promise<void> | void;
  /** SIGHUP: load anew, or do the work now. */
  reload?(): Promise<void> | void;
  /** Where it listens, by name, for the log and for tests. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** Resolves when the work is over (exit 0), rejects when it failed for good (exit 1). */
  readonly done?: Promise<void>;
  /** Rejects when it failed for good (exit 1), of a sidecar whose work has no end: nobody waits for it to resolve. */
  readonly failed?: Promise<void>;
}

/** A configured sidecar. It starts as well in a test, with no process of its own. */
export interface Sidecar {
  readonly identity: Identity;
  /** Every option's value as text, secrets redacted, for /config. */
  readonly config: Readonly<Record<string, unknown>>;
  start(context: Context): Promise<Running>;
}

/** Makes sidecars of one kind; carries the option table that flags, variables, help and manuals come from. */
export interface Factory<T extends OptionTable = OptionTable> {
  /** @throws UsageError naming every option that is wrong */
  (input: Input<T>): Sidecar;
  readonly identity: Identity;
  readonly options: Options<T>;
  /** From values that were read already. */
  configured(values: Values<T>): Sidecar;
}

/**
 * Defines a kind of sidecar.
 *
 * @param identity who it is; a plain name is enough for a sidecar of your own
 * @param options its option table, or what `defineOptions` made of one
 * @param make is given the values and returns what to start
 */
export function defineSidecar<const T extends OptionTable>(
  identity: Identity | string,
  options: T | Options<T>,
  make: (values: Values<T>) => Pick<Sidecar, "start">,
): Factory<T> {
  const who = typeof identity === "string" ? { ...ANONYMOUS, name: identity } : identity;
  const definition = isDefined(options) ? options : defineOptions(options);
  const configured = (values: Values<T>): Sidecar => ({
    identity: who,
    config: describeConfig(definition.table, values),
    start: (context) => make(values).start(context),
  });
  const factory = (given: Input<T>): Sidecar => {
    const input = Object(given) as Input<T>; // who writes JavaScript may give nothing
    const unknown = Object.keys(input).filter((key) => !Object.hasOwn(definition.table, key));
    const { values, problems: wrong } = readOptions(definition, writtenIn(definition.table, input), (key) => key);
    const problems = [...unknown.map((subject) => describeFault({ subject, reason: "no such option" })), ...wrong];
    if (problems.length > 0) throw new UsageError(who.name, problems);
    return configured(values);
  };
  return Object.assign(factory, { identity: who, options: definition, configured });
}

/** Sidecars that several people write have no port that is theirs; this one is free of Pillion's own. */
const ANONYMOUS = { version: "0.0.0", description: "A sidecar.", adminListen: "127.0.0.1:9190" };

function isDefined<T extends OptionTable>(options: T | Options<T>): options is Options<T> {
  return typeof options["rules"] === "function";
}

function writtenIn(
  table: OptionTable,
  input: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, readonly Written[]> {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  const listed = (name: string, value: unknown) => (table[name]?.repeat ? [value].flat() : [value]);
  return new Map(given.map(([name, value]) => [name, listed(name, value).map((one) => ({ name, value: one }))]));
}

function describeConfig(table: OptionTable, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const show = (row: Option, value: unknown): unknown => {
    if (value === undefined) return null;
    return row.type === "secret" ? value : (typeOf(row).format?.(value) ?? value);
  };
  const rows = Object.entries(table).map(([key, row]) => {
    const value = values[key];
    return [key, row.repeat && Array.isArray(value) ? value.map((one) => show(row, one)) : show(row, value)];
  });
  return Object.fromEntries(rows);
}
