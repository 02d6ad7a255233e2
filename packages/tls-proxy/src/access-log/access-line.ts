/** One request and its answer, for the access log. Texts are latin1 strings of the bytes that were sent. */
export interface AccessEntry {
  /** When its head had come, milliseconds since 1970. */
  readonly time: number;
  readonly client: string;
  readonly method: string;
  /** With its query; whether that is logged is the log's to decide. */
  readonly target: string;
  /** `HTTP/1.1`, `HTTP/2.0`. */
  readonly protocol: string;
  readonly status: number;
  /** Of the answer's body. */
  readonly bytesSent: number;
  /** Of the request's body. */
  readonly bytesReceived: number;
  /** From the request's head to the end of the answer, milliseconds. */
  readonly duration: number;
  /** From the request's head to that of the app's answer, milliseconds. */
  readonly upstreamTime?: number | undefined;
  readonly tlsVersion?: string | undefined;
  readonly cipher?: string | undefined;
  readonly alpn?: string | undefined;
  readonly serverName?: string | undefined;
  /** The subject of the client's certificate, be it refused or not. */
  readonly clientSubject?: string | undefined;
  /** Why the client was refused for its certificate, or the lack of one. */
  readonly reason?: string | undefined;
  readonly host?: string | undefined;
  readonly referer?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Why there was no answer of the app, or no whole one. */
  readonly error?: string | undefined;
  /** `refused`: it never reached the app. */
  readonly outcome: "complete" | "client-gone" | "app-failed" | "refused";
}

type Formatter = (entry: AccessEntry) => string;

/**
 * The line of an entry, ended by a line feed and made of printable ASCII alone, so that nothing a client sends can begin
 * a line or steer a terminal. It has 4096 bytes at the most, whatever a client sends.
 *
 * @param query whether query strings are kept, in the target and in Referer
 * @param worker the number of the worker that writes it, if there are several; combined has no place for it
 */
export function accessLine(format: "json" | "combined", query: boolean, worker?: number): Formatter {
  const shown = query ? (url: string) => url : withoutQuery;
  const by = worker === undefined ? "" : `,"worker":${worker}`;
  return format === "json" ? (entry) => jsonLine(entry, shown, by) : (entry) => combinedLine(entry, shown);
}

/** Like the lines of the log itself, which may stand on the same output. */
function jsonLine(entry: AccessEntry, shown: (url: string) => string, by: string): string {
  const text = (key: string, value: string | undefined, longest: number) =>
    value === undefined ? "" : `,"${key}":"${escape(value, longest, jsonEscape)}"`;
  const number = (key: string, value: number | undefined) => (value === undefined ? "" : `,"${key}":${round(value)}`);
  return (
    `{"level":"info","time":"${new Date(entry.time).toISOString()}","sidecar":"tls-proxy"${by},"msg":"access"` +
    text("client", entry.client, LONGEST.name) +
    text("method", entry.method, LONGEST.word) +
    text("target", shown(entry.target), LONGEST.target) +
    text("protocol", entry.protocol, LONGEST.word) +
    number("status", entry.status) +
    number("bytesSent", entry.bytesSent) +
    number("bytesReceived", entry.bytesReceived) +
    number("durationMs", entry.duration) +
    number("upstreamMs", entry.upstreamTime) +
    text("tlsVersion", entry.tlsVersion, LONGEST.word) +
    text("cipher", entry.cipher, LONGEST.word) +
    text("alpn", entry.alpn, LONGEST.word) +
    text("serverName", entry.serverName, LONGEST.name) +
    text("clientSubject", entry.clientSubject, LONGEST.name) +
    text("reason", entry.reason, LONGEST.reason) +
    text("host", entry.host, LONGEST.name) +
    text("referer", entry.referer && shown(entry.referer), LONGEST.field) +
    text("userAgent", entry.userAgent, LONGEST.field) +
    text("error", entry.error, LONGEST.name) +
    `,"outcome":"${entry.outcome}"}\n`
  );
}

/** `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`, as Apache's mod_log_config documents and escapes it. */
function combinedLine(entry: AccessEntry, shown: (url: string) => string): string {
  const text = (value: string | undefined, longest: number) =>
    value === undefined ? "-" : escape(value, longest, apacheEscape);
  const { client, method, protocol, bytesSent, referer, userAgent } = entry;
  const request = `${text(method, LONGEST.word)} ${text(shown(entry.target), LONGEST.target)} ${text(protocol, LONGEST.word)}`;
  const answer = `${entry.status} ${bytesSent === 0 ? "-" : bytesSent}`;
  const from = `"${text(referer && shown(referer), LONGEST.field)}" "${text(userAgent, LONGEST.field)}"`;
  return `${text(client, LONGEST.name)} - - [${apacheTime(entry.time)}] "${request}" ${answer} ${from}\n`;
}

/** The longest texts, escaped; together with the rest they stay below 4096. */
const LONGEST = { word: 48, reason: 96, name: 192, field: 512, target: 1_280 };

function withoutQuery(url: string): string {
  const at = url.search(/[?#]/);
  return at === -1 ? url : url.slice(0, at);
}

/** Cut off where it gets too long, never within an escape, and shown to be by `...`. */
function escape(text: string, longest: number, escapeOne: (character: string) => string): string {
  if (text.length <= longest && !SPECIAL.test(text)) return text;
  let escaped = "";
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    const next = SPECIAL.test(character) ? escapeOne(character) : character;
    if (escaped.length + next.length > longest - ELLIPSIS.length) return escaped + ELLIPSIS;
    escaped += next;
  }
  return escaped;
}

const SPECIAL = /[^\x20-\x7e]|["\\]/;
const ELLIPSIS = "...";

function jsonEscape(character: string): string {
  return character === '"' || character === "\\" ? `\\${character}` : `\\u${hexadecimal(character, 4)}`;
}

/** ap_escape_logitem: C's escapes where there is one, else the byte in hexadecimal. */
function apacheEscape(character: string): string {
  return APACHE[character] ?? `\\x${hexadecimal(character, 2)}`;
}

function hexadecimal(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, "0");
}

const APACHE: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** Microseconds are enough. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `10/Oct/2000:13:55:36 +0000`. */
function apacheTime(time: number): string {
  const date = new Date(time);
  const day = `${date.getUTCDate()}`.padStart(2, "0");
  return `${day}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
}
