export const cmdlineModes = ["redacted", "full", "name"] as const;
export type CmdlineMode = (typeof cmdlineModes)[number];

const HIDDEN = "[redacted]";
const secretWord = "(?:pass(?:word|wd|phrase)?|pwd|secret|token|credential|auth|api-?key|access-?key|private-?key|apikey)";
/** `--db-password=x`, `token:x`, `DB_PASSWORD=x` within one argument. */
const assignment = new RegExp(`^(-{0,2}[\\w.-]*${secretWord}[\\w.-]*[=:])(.+)$`, "is");
/** `--password` or `-password`: the secret is the next argument. */
const announcement = new RegExp(`^-{1,2}[\\w.-]*${secretWord}[\\w.-]*$`, "i");
/** `-psecret`, as MySQL's clients take it; not the likes of `-p 80` or `-profile`. */
const attached = /^-p(?=.*[^a-z])(.{3,})$/i;
const urlUser = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*@/gi;
const header = /\b(authorization: *\w+|bearer|basic) +\S+/gi;

/**
 * A command line as text. Arguments hold secrets, and whoever may see this page may not know them.
 *
 * @param commandLine arguments; null or empty where there are none to read
 */
export function showCommandLine(commandLine: readonly string[] | null, name: string, mode: CmdlineMode): string {
  if (!commandLine || commandLine.length === 0) return `[${printable(name)}]`;
  if (mode === "name") return printable(name);
  const shown = mode === "full" ? commandLine : hideSecrets(commandLine);
  return printable(shown.join(" "));
}

function hideSecrets(commandLine: readonly string[]): string[] {
  return commandLine.map((argument, index) => {
    const previous = commandLine[index - 1];
    if (index > 1 && previous !== undefined && announcement.test(previous) && !argument.startsWith("-")) return HIDDEN;
    return hideIn(argument, index);
  });
}

function hideIn(argument: string, index: number): string {
  if (index > 0 && attached.test(argument)) return `-p${HIDDEN}`;
  return argument
    .replace(assignment, `$1${HIDDEN}`)
    .replace(urlUser, `$1${HIDDEN}@`)
    .replace(header, `$1 ${HIDDEN}`);
}

/** Terminals obey control characters and pages break at them: C0, C1 and the line separators become spaces. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, " ");
}
