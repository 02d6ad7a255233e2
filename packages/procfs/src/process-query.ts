import { basename } from "node:path";
import { decode } from "./decode.ts";

/** How a process is told from the others; each form is one way. */
export type ProcessQuery =
  /** The kernel's name (comm), exactly. The kernel keeps 15 bytes of it, so only 15 bytes are compared. */
  | { readonly name: string }
  /** Found anywhere in the arguments joined by spaces. */
  | { readonly commandLine: RegExp }
  /** The file name of the program, or of the first argument that isn't an option: `app.js` of `node --flag /srv/app.js`. */
  | { readonly script: string };

/**
 * Reads `name=NAME`, `cmdline=EXPRESSION` or `script=FILE`. The expression is a JavaScript regular expression without slashes
 * around it, since paths start and end with slashes, too.
 * @throws RangeError that names all forms
 */
export function parseProcessQuery(text: string): ProcessQuery {
  const [, form, value = ""] = /^(name|cmdline|script)=(.+)$/s.exec(text) ?? [];
  if (form === "name") return { name: value };
  if (form === "script") return { script: value };
  if (form === "cmdline") return { commandLine: expression(text, value) };
  throw refused(text, "is none of these forms");
}

/** What a query is compared with; the command line is asked for only by the forms that need it. */
export interface Candidate {
  readonly name: string;
  commandLine(): readonly string[] | null | undefined;
}

export function matches(query: ProcessQuery, candidate: Candidate): boolean {
  if ("name" in query) return candidate.name === asKept(query.name);
  const commandLine = candidate.commandLine() ?? [];
  if (commandLine.length === 0) return false;
  // search, unlike test, doesn't start where a global expression stopped last time
  if ("commandLine" in query) return commandLine.join(" ").search(query.commandLine) !== -1;
  return programs(commandLine).includes(query.script);
}

/** TASK_COMM_LEN is 16 with its NUL; a character that is cut in two decodes as it does when it comes from the kernel. */
function asKept(name: string): string {
  return decode(new TextEncoder().encode(name).subarray(0, 15));
}

function programs([program = "", ...rest]: readonly string[]): string[] {
  const script = rest.find((argument) => !argument.startsWith("-")) ?? "";
  return [basename(program), basename(script)];
}

function expression(text: string, value: string): RegExp {
  if (/^\/.+\/i?$/s.test(value))
    throw refused(text, "has slashes around it; where they are meant, write [/] for the last one");
  try {
    return new RegExp(value);
  } catch (cause) {
    throw refused(text, `is not a regular expression: ${(cause as Error).message}`, cause);
  }
}

function refused(text: string, reason: string, cause?: unknown): RangeError {
  const forms = "name=NAME (15 bytes count), cmdline=REGULAR-EXPRESSION (no slashes around it) or script=FILE-NAME";
  return new RangeError(`process query ${JSON.stringify(text)} ${reason}; write ${forms}`, {
    cause,
  });
}
