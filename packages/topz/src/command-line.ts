import { redact } from "@pillion/kit";

export const cmdlineModes = ["redacted", "full", "name"] as const;
export type CmdlineMode = (typeof cmdlineModes)[number];

const HIDDEN = "[redacted]";
/** Characters of a command line that are looked at; the rest is left out. */
const LOOKED_AT = 4096;
const secretKey = "(?:access|account|api|encryption|license|master|private|shared|signing|storage)[-_.]?key";
const secretWord = `(?:pass(?!enger|ive)|pwd|secret|token|credential|cookie|jwt|auth(?!ors?\\b|ority)|${secretKey})`;
/** Bounded, as everybody on the machine may write a command line that takes long to match. */
const secretName = `[\\w.-]{0,99}${secretWord}[\\w-]{0,40}(?<![-_.](?:dir|file|path))`;
/** `--db-password=x`, `token:x`, `DB_PASSWORD=x`: all that follows is the secret. */
const assignment = new RegExp(`^(["']?-{0,2}${secretName}[=:])(?!//).+$`, "is");
/** The same within a longer word: `--header=X-Api-Key: x`, `{"password":"x"}`, `Server=db;Password=x`. */
const embedded = new RegExp(
  `(?<![\\w.-])(-{0,2}${secretName}(?:=|["']\\s*:\\s*|:\\s+))(?:(?:basic|bearer|digest|token) +)?(?:"[^"]*"|'[^']*'|[^\\s,;&"'}]+)`,
  "gi",
);
/** `--password` or `-password`: the secret is the next argument. */
const announcement = new RegExp(
  `^-{1,2}(?!-|(?:no|allow|disable|enable|require|skip|use|without)-)${secretName}$`,
  "i",
);
/** RFC 9110 §11.6.2, and the token of RFC 6750 §2.1 by itself. */
const header = /\b(authorization: *(?:(?:basic|bearer|digest|token) +)?|bearer +)\S+/gi;

const scriptWord = /(?:"[^"]*"|'[^']*'|\S)+/g;

/** Programs whose one-letter flag takes a secret, by mysql(1), sshpass(1), mongosh(1), redis-cli(1), ldapsearch(1), curl(1). */
const clients: readonly (readonly [RegExp, string])[] = [
  [/^(?:mysql|mariadb|mongo|sshpass|7z)/, "-p"],
  [/^redis-cli/, "-a"],
  [/^ldap/, "-w"],
  [/^curl/, "-u"],
];
/** `-ps3cret`, whatever the program; not the likes of `-p8080`, `-path=/x` or `-parallel-gc`. */
const attached = /^-p(?=.*[a-z])(?!-*[a-z]+(?:-[a-z]+)*(?:=|$))[^=]{3,}$/i;

/**
 * A command line as text. Arguments hold secrets, and whoever may see this page may not know them.
 *
 * @param commandLine arguments; null or empty where there are none to read
 */
export function showCommandLine(commandLine: readonly string[] | null, name: string, mode: CmdlineMode): string {
  if (!commandLine || commandLine.length === 0) return `[${printable(name)}]`;
  if (mode === "name") return printable(name);
  if (mode === "full") return printable(commandLine.join(" "));
  const shown = hideSecrets(beginning(commandLine)).join(" ").replace(header, `$1${HIDDEN}`);
  return printable(shown);
}

function beginning(words: readonly string[]): string[] {
  let room = LOOKED_AT;
  return words.flatMap((word) => {
    if (room <= 0) return [];
    room -= word.length + 1;
    return room < 0 ? [`${word.slice(0, room)}…`] : [word];
  });
}

function hideSecrets(words: readonly string[]): string[] {
  let flag: string | undefined;
  let announced = false;
  return words.map((word, index) => {
    if (announced && !word.startsWith("-")) {
      announced = false;
      return HIDDEN;
    }
    flag = clientFlag(word) ?? flag;
    if (flag && word.startsWith(flag) && word !== flag) return `${flag}${HIDDEN}`;
    if (attached.test(word)) return `-p${HIDDEN}`;
    announced = index > 0 && (word === flag || announcement.test(word));
    return announced ? word : hideIn(word);
  });
}

function clientFlag(word: string): string | undefined {
  const program = word.slice(word.lastIndexOf("/") + 1);
  return clients.find(([pattern]) => pattern.test(program))?.[1];
}

function hideIn(word: string): string {
  if (assignment.test(word)) return word.replace(assignment, `$1${HIDDEN}`);
  return redact(hideInScript(word.replace(embedded, `$1${HIDDEN}`)));
}

/** An argument of several words, such as a script for a shell, is a command line of its own. */
function hideInScript(text: string): string {
  const words = text.match(scriptWord) ?? [];
  if (words.length < 2) return text;
  const hidden = hideSecrets(words).values();
  return text.replace(scriptWord, () => hidden.next().value ?? "");
}

/** Terminals obey control characters, pages break at them and text turns around: C0, C1, line separators, bidi controls. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, " ");
}
