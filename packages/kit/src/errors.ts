import { redact } from "./redact.ts";

/** What a message has to say: which thing, what it was, why that is wrong, and what to do. */
export interface Fault {
  /** The thing that is wrong, as its user knows it: `--cert`, `TOPZ_LISTEN`, `repository`. */
  readonly subject: string;
  readonly value?: string | undefined;
  readonly reason: string;
  readonly remedy?: string | undefined;
  readonly cause?: unknown;
}

/** The one base class: `code` is stable and listed in docs/errors.md, `cause` is what led to it. */
export class PillionError extends Error {
  override readonly name: string = "PillionError";
  readonly code: string;

  constructor(code: string, fault: Fault) {
    super(describeFault(fault), fault.cause === undefined ? undefined : { cause: fault.cause });
    this.code = code;
  }
}

/** The invocation is wrong: every problem is listed, and the process exits with 2. */
export class UsageError extends PillionError {
  override readonly name = "UsageError";
  readonly problems: readonly string[];

  constructor(subject: string, problems: readonly string[]) {
    super("USAGE", { subject, reason: problems.join("\n") });
    this.problems = problems;
  }
}

/** Makes the errors of one package; `code` and `meaning` are what docs/errors.md shows. */
export type ErrorMaker = ((fault: Fault) => PillionError) & { readonly code: string; readonly meaning: string };

/**
 * Turns a table of code and meaning into one maker a code.
 *
 * @example
 * const errors = defineErrors({ CERTIFICATE_UNREADABLE: "A certificate file can't be read." });
 * throw errors.CERTIFICATE_UNREADABLE({ subject: "--cert", value: path, reason: "no such file" });
 */
export function defineErrors<const Code extends string>(table: Record<Code, string>): Record<Code, ErrorMaker> {
  const makers = Object.entries<string>(table).map(([code, meaning]) => [
    code,
    Object.assign((fault: Fault) => new PillionError(code, fault), { code, meaning }),
  ]);
  return Object.fromEntries(makers) as Record<Code, ErrorMaker>;
}

/** `subject "value": reason. Remedy.`, with credentials taken out. */
export function describeFault({ subject, value, reason, remedy }: Fault): string {
  const what = value === undefined ? subject : `${subject} ${JSON.stringify(redact(value))}`;
  return redact(`${what}: ${reason}${remedy === undefined ? "" : `. ${remedy}`}`);
}

/** The message of whatever was thrown, with those of its causes behind it, but for a cause whose code it names already. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return redact(String(error));
  const { cause, message } = error;
  const isTold = cause === undefined || message.includes(`(${systemCode(cause) ?? messageOf(cause)})`);
  return redact(message) + (isTold ? "" : ` (${messageOf(cause)})`);
}

/** The `code` of a system error such as ENOENT, or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
