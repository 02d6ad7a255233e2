// Hot path: see fields.ts.
import { CR, LF, NAME, SPACE, TARGET, isDigit } from "./bytes.ts";
import { type Refusal, badRequest } from "./refusal.ts";

/** Where the parts of a request line are. */
export interface RequestLine {
  minorVersion: 0 | 1;
  start: number;
  methodEnd: number;
  targetStart: number;
  targetEnd: number;
  authorityStart: number;
  authorityEnd: number;
  pathStart: number;
  /** Behind the line. */
  fieldsStart: number;
}

export const MAX_TARGET = 16 * 1024;
export const TARGET_TOO_LONG: Refusal = {
  status: 414,
  reason: `the request target is longer than ${MAX_TARGET} bytes`,
};
const NOT_A_LINE = badRequest("the request line isn't METHOD TARGET VERSION");

/**
 * Reads `METHOD SP TARGET SP VERSION CRLF` (RFC 9112 §3).
 * @returns what is wrong with it
 */
export function readRequestLine(line: RequestLine, bytes: Buffer, start: number, end: number): Refusal | undefined {
  let position = start;
  while (NAME[bytes[position] ?? 0] !== 0) position++;
  if (position === start || bytes[position] !== SPACE) return badRequest("the method isn't a token");
  line.start = start;
  line.methodEnd = position;
  line.targetStart = ++position;
  while (TARGET[bytes[position] ?? 0] !== 0) position++;
  line.targetEnd = position;
  if (position - line.targetStart > MAX_TARGET) return TARGET_TOO_LONG;
  if (bytes[position] !== SPACE) return badTarget(bytes[position]);
  const wrong = readVersion(line, bytes, position + 1, end) ?? readForm(line, bytes);
  line.fieldsStart = position + " HTTP/1.1\r\n".length;
  return wrong;
}

function badTarget(octet: number | undefined): Refusal {
  if (octet === CR || octet === LF || octet === undefined) return NOT_A_LINE;
  return badRequest("the request target holds a character that must be percent-encoded");
}

/** `HTTP/1.1` and `HTTP/1.0`, in exactly this spelling (RFC 9112 §2.3). */
function readVersion(line: RequestLine, bytes: Buffer, position: number, end: number): Refusal | undefined {
  const isVersion =
    end - position >= 10 &&
    bytes[position] === 0x48 &&
    bytes[position + 1] === 0x54 &&
    bytes[position + 2] === 0x54 &&
    bytes[position + 3] === 0x50 &&
    bytes[position + 4] === 0x2f &&
    isDigit(bytes[position + 5]) &&
    bytes[position + 6] === 0x2e &&
    isDigit(bytes[position + 7]) &&
    bytes[position + 8] === CR &&
    bytes[position + 9] === LF;
  if (!isVersion) return NOT_A_LINE;
  const minor = (bytes[position + 7] ?? 0) - 0x30;
  if (bytes[position + 5] !== 0x31 || minor > 1)
    return { status: 505, reason: "only HTTP/1.0 and HTTP/1.1 are served" };
  line.minorVersion = minor === 0 ? 0 : 1;
  return undefined;
}

/** The forms of RFC 9112 §3.2 that fit here: origin-form, absolute-form, and `*` for OPTIONS. */
function readForm(line: RequestLine, bytes: Buffer): Refusal | undefined {
  line.authorityStart = line.authorityEnd = line.pathStart = line.targetStart;
  const method = line.methodEnd - line.start;
  if (method === 5 && is(bytes, line, "TRACE")) return { status: 501, reason: "TRACE is not served" };
  if (method === 7 && is(bytes, line, "CONNECT")) return { status: 501, reason: "CONNECT is not served" };
  if (bytes[line.targetStart] === 0x2f) return undefined;
  if (
    method === 7 &&
    bytes[line.targetStart] === 0x2a &&
    line.targetEnd === line.targetStart + 1 &&
    is(bytes, line, "OPTIONS")
  )
    return undefined;
  const target = bytes.toString("latin1", line.targetStart, line.targetEnd);
  const [, scheme, authority] = /^(https?:\/\/)([^/?#@]+)(?=[/?]|$)/i.exec(target) ?? [];
  if (scheme === undefined || authority === undefined)
    return badRequest("the request target is neither a path nor an absolute URL");
  line.authorityStart += scheme.length;
  line.authorityEnd = line.pathStart = line.authorityStart + authority.length;
  return undefined;
}

const is = (bytes: Buffer, line: RequestLine, method: string): boolean =>
  bytes.toString("latin1", line.start, line.methodEnd) === method;
