import type { ProgramName } from "./programs.ts";

export interface Sentence {
  readonly level: "info" | "warn" | "error";
  readonly text: string;
}

/** What a log line means to a person, or nothing where they needn't know. */
export function sentence(program: ProgramName, line: string): Sentence | undefined {
  return program === "legacy-app" ? ofApp(line) : ofSidecar(line);
}

function ofApp(line: string): Sentence | undefined {
  const [, text] = /^\S+Z (.*)$/.exec(line) ?? [];
  if (text !== undefined) return /^(GET|HEAD) /.test(text) ? undefined : { level: "info", text };
  return /^\w*Error: /.test(line) ? { level: "error", text: line } : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function ofSidecar(line: string): Sentence | undefined {
  const fields = parse(line);
  if (!fields) return line.trim() === "" ? undefined : { level: "error", text: line };
  const message = String(fields["msg"]);
  const known = sayings[message];
  const text = known === undefined ? ofCondition(fields, message) : known(fields);
  return text === undefined ? undefined : { level: levelOf(fields["level"]), text };
}

/** Log messages that mean more than they say, or less: by their fixed text. */
const sayings: Readonly<Record<string, (fields: Fields) => string | undefined>> = {
  started: ({ admin, https }) =>
    `started, listening on ${https === undefined ? "" : `${shown(https)} and `}${shown(admin)}`,
  stopping: () => undefined,
  stopped: () => undefined,
  recovered: ({ condition }) => `recovered (${shown(condition)})`,
  published: ({ commit, files }) =>
    commit === undefined
      ? `published the configuration: ${files === 1 ? "1 file" : `${shown(files)} files`}`
      : `published commit ${shown(commit).slice(0, 8)}`,
  "told the app": ({ pid }) => `told the app, pid ${shown(pid)}, to read it`,
  "in force": () => "the app took it: this configuration is in force",
  "certificate in force": ({ notAfter }) =>
    `serving with a certificate that is good until ${shown(notAfter).slice(0, 10)}`,
};

/** What changed in a sidecar's health carries a state; everything else is said as it is. */
function ofCondition({ condition, state }: Fields, message: string): string {
  if (condition === undefined) return message;
  return `${state === "failed" ? "not ready" : "degraded"}: ${message}`;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function levelOf(level: unknown): Sentence["level"] {
  if (level === "warn") return "warn";
  return level === "error" || level === "fatal" ? "error" : "info";
}

function parse(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
