import { describeFault, systemCode } from "./errors.ts";
import { type Option, type Options, type OptionTable, type Values, flagName, typeOf } from "./options.ts";
import { redact } from "./redact.ts";
import { Secret } from "./secret.ts";

/** One value as somebody wrote it, and under which name. `file` holds a secret in a file. */
export interface Written {
  readonly name: string;
  /** Undefined where a flag lacks its value, and that was complained of. */
  readonly value: unknown;
  readonly file?: boolean;
}

/** What was read of a table, and everything that was wrong with it. */
export interface Reading<T extends OptionTable> {
  readonly values: Values<T>;
  readonly problems: readonly string[];
}

/**
 * Reads the written values by a table: types, bounds, choices, defaults, what is required, and the rules between
 * options. It never stops at the first problem.
 *
 * @param named how an option is called in messages when nobody wrote it: `--listen` on a command line
 */
export function readOptions<T extends OptionTable>(
  { table, rules }: Options<T>,
  written: ReadonlyMap<string, readonly Written[]>,
  named: (key: string) => string = (key) => `--${flagName(key)}`,
): Reading<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const unread = new Set<string>();
  for (const [key, option] of Object.entries(table)) {
    const given = written.get(key) ?? defaultOf(key, option);
    const present = given.filter(({ value }) => value !== undefined);
    const read = present.flatMap((one) => readOne(one, option, (text) => problems.push(text)));
    if (read.length < given.length) unread.add(key);
    else if (given.length === 0 && option.required) problems.push(missing(named(key), option));
    values[key] = option.repeat ? read : read.at(-1);
  }
  const known = Object.fromEntries(Object.entries(values).filter(([key]) => !unread.has(key)));
  const report: Parameters<typeof rules>[1] = (about, reason, remedy) => {
    const [key, ...others] = typeof about === "string" ? [about] : about;
    if ([key, ...others].some((one) => unread.has(one))) return;
    problems.push(describeFault({ subject: written.get(key)?.[0]?.name ?? named(key), reason, remedy }));
  };
  const given = Object.keys(table).filter((key) => (written.get(key) ?? []).length > 0);
  rules(known as Partial<Values<T>>, report, new Set(given));
  return { values: values as Values<T>, problems };
}

function defaultOf(key: string, option: Option): readonly Written[] {
  if (option.default !== undefined) return [{ name: key, value: option.default }];
  return option.type === "boolean" && !option.repeat ? [{ name: key, value: false }] : [];
}

function missing(subject: string, option: Option): string {
  return describeFault({ subject, reason: "required, but not given", remedy: `Give ${typeOf(option).expects}` });
}

/** The value in an array, or none when it was a problem. */
function readOne(written: Written, option: Option, problem: (text: string) => void): readonly unknown[] {
  if (option.type === "secret") return readSecret(written, problem);
  const type = typeOf(option);
  const { name: subject, value } = written;
  const refuse = (reason: string, remedy: string): readonly unknown[] => {
    problem(
      describeFault({ subject, value: typeof value === "string" ? value : redact(String(value)), reason, remedy }),
    );
    return [];
  };
  if (typeof value !== "string" && type.is?.(value) === false)
    return refuse(`of the type ${value === null ? "null" : typeof value}`, `Give ${type.expects}`);
  try {
    const read = typeof value === "string" ? type.parse(value) : value;
    const { min = -Infinity, max = Infinity } = option;
    if (typeof read !== "number" || (read >= min && read <= max)) return [read];
    const show = (bound: number) => type.format?.(bound) ?? String(bound);
    const wrong = read < min ? `less than ${show(min)}` : `more than ${show(max)}`;
    return refuse(Number.isNaN(read) ? "not a number" : wrong, `Give ${type.expects} within these bounds`);
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof SyntaxError)) throw error;
    return refuse(error.message, `Give ${type.expects}`);
  }
}

function readSecret({ name, value, file }: Written, problem: (text: string) => void): readonly Secret[] {
  if (!file) return [value instanceof Secret ? value : new Secret(String(value))];
  const path = String(value);
  const refuse = (reason: string): readonly Secret[] => {
    problem(
      describeFault({
        subject: name,
        value: path,
        reason,
        remedy: "Give a file with the secret that this user may read",
      }),
    );
    return [];
  };
  try {
    const secret = Secret.fromFile(path);
    return secret.reveal() === "" ? refuse("the file is empty") : [secret];
  } catch (error) {
    return refuse(`can't be read (${systemCode(error)})`);
  }
}
