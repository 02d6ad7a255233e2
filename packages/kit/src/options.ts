import type { Address } from "./address.ts";
import { type OptionType, optionTypes } from "./option-type.ts";
import type { Secret } from "./secret.ts";

type TypeNames = typeof optionTypes;

/** One row of an option table. The key in camel case gives the flag (`--state-dir`) and the variable (`TOPZ_STATE_DIR`). */
export interface Option {
  /**
   * A type's name, `choice` (one of `choices`), `secret` (from the environment or a file, never from a flag), or a
   * type of the sidecar's own.
   */
  readonly type: keyof TypeNames | "choice" | "secret" | OptionType<unknown>;
  readonly help: string;
  /** As a user would write it. */
  readonly default?: string;
  readonly required?: true;
  /** May be given several times; in the environment separated by commas. */
  readonly repeat?: true;
  readonly choices?: readonly string[];
  /** Bounds, both inclusive, of a number, a duration (ms) or a size (bytes). */
  readonly min?: number;
  readonly max?: number;
  /** Other names in kebab case, for users of the tools that this one stands in for. */
  readonly aliases?: readonly string[];
  /** The heading it stands under in help and README. */
  readonly group?: string;
}

export type OptionTable = Readonly<Record<string, Option>>;

type ValueOfType<T> = T extends keyof TypeNames
  ? ReturnType<TypeNames[T]["parse"]>
  : T extends OptionType<infer V>
    ? V
    : never;
type Single<O extends Option> = O["type"] extends "choice"
  ? O["choices"] extends readonly (infer C)[]
    ? C
    : never
  : O["type"] extends "secret"
    ? Secret
    : ValueOfType<O["type"]>;
type IsPresent<O> = O extends { default: string } | { required: true } | { type: "boolean" } ? true : false;

/** What a sidecar works with: every value parsed, every default filled in. */
export type Values<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends { repeat: true }
    ? readonly Single<T[K]>[]
    : IsPresent<T[K]> extends true
      ? Single<T[K]>
      : Single<T[K]> | undefined;
};

type Written<V> = V extends boolean
  ? boolean | `${V}`
  : V | (V extends number | URL | Secret | Address ? string : never);
type SingleInput<O extends Option> = O["type"] extends OptionType<unknown> ? Single<O> | string : Written<Single<O>>;
type InputOf<O extends Option> = O extends { repeat: true } ? readonly SingleInput<O>[] : SingleInput<O>;

/** What a caller hands to a factory: `"5s"` or 5000, defaults left out. */
export type Input<T extends OptionTable> = {
  readonly [K in keyof T as T[K] extends { required: true } ? K : never]: InputOf<T[K]>;
} & {
  readonly [K in keyof T as T[K] extends { required: true } ? never : K]?: InputOf<T[K]> | undefined;
};

/**
 * Says what is wrong between options: which ones, the first of them by name, why, and the remedy. It isn't said when the
 * value of any of them couldn't be read: that is a problem already.
 */
type ReportProblem<T> = (options: Name<T> | readonly [Name<T>, ...Name<T>[]], reason: string, remedy: string) => void;
type Name<T> = keyof T & string;

/**
 * A table with the rules that hold between its options; a rule sees only the values that could be read, and by `given`
 * which of them somebody wrote: a default contradicts nothing.
 */
export interface Options<T extends OptionTable = OptionTable> {
  readonly table: T;
  readonly rules: (values: Partial<Values<T>>, problem: ReportProblem<T>, given: ReadonlySet<Name<T>>) => void;
}

export function defineOptions<const T extends OptionTable>(
  table: T,
  rules: Options<T>["rules"] = () => {},
): Options<T> {
  return { table, rules };
}

/** `stateDir` is written `state-dir` as a flag, without the dashes. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `state-dir` or `tls-proxy` in an environment variable: `STATE_DIR`, `TLS_PROXY`. */
export function environmentName(...words: readonly string[]): string {
  return words.join("_").replaceAll("-", "_").toUpperCase();
}

/** Every name that a row answers to: its own first, then its aliases. */
export function optionNames(key: string, option: Option): readonly string[] {
  return [flagName(key), ...(option.aliases ?? [])];
}

/** The reader of a row's values: the named type, a choice, or the sidecar's own type. Secrets are read by their source. */
export function typeOf(option: Option): OptionType<unknown> {
  if (typeof option.type === "object") return option.type;
  if (option.type === "choice") return choiceType(option.choices ?? []);
  if (option.type === "secret") return { ...optionTypes.path, placeholder: "FILE" };
  return optionTypes[option.type];
}

function choiceType(choices: readonly string[]): OptionType<string> {
  return {
    placeholder: choices.join("|"),
    expects: `one of ${choices.join(", ")}`,
    parse(text) {
      if (!choices.includes(text)) throw new RangeError("not a choice");
      return text;
    },
    is: () => false,
  };
}
