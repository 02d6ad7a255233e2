// Hot path: see fields.ts.
import type { AnswerRules } from "../answers/answer-rules.ts";
import { SPACE, VALUE, equalsText, isDigit } from "./bytes.ts";
import { type ConnectionOptions, readConnectionOptions } from "./connection-options.ts";
import { contentLength } from "./content-length.ts";
import { FieldKind } from "./field-kind.ts";
import { Fields, INCOMPLETE, lineEnd, readFields } from "./fields.ts";
import type { Framing } from "./request-head.ts";

/** The head of an app's answer (RFC 9112 §4), as offsets into its bytes; reused from answer to answer. */
export class ResponseHead implements ConnectionOptions {
  readonly fields = new Fields();
  start = 0;
  /** Behind the status line. */
  fieldsStart = 0;
  /** Behind the empty line. */
  end = 0;
  minorVersion: 0 | 1 = 1;
  /** 100 to 999. */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;
  framing: Framing = "none";
  /** Octets, with framing `length`; 0 otherwise. */
  contentLength = 0;
  close = false;
  keepAlive = false;
  upgrade = false;
  listed: readonly string[] | undefined;
  /** It stays for answers to come, which may be the same. */
  isKept = false;
  /** What a kept one became for ordinary connections, and by which rules. */
  sent: Buffer | undefined;
  sentBy: AnswerRules | undefined;

  get bytes(): Buffer {
    return this.fields.bytes;
  }

  /** An answer before the answer (RFC 9110 §15.2); 101 is none, it is the last one in HTTP. */
  get isInformational(): boolean {
    return this.status < 200 && this.status !== 101;
  }

  /** Whether the app keeps its connection open behind this answer (RFC 9112 §9.3). */
  get persists(): boolean {
    return this.framing !== "close" && !this.close && (this.minorVersion === 1 || this.keepAlive);
  }
}

/**
 * Reads an answer's head at `bytes[start, end)`, which may hold less or more than it. Apps are older than their
 * standards: line ends may be LF, a reason may be missing, a name may have white space behind it.
 * Nothing is copied or kept but `head`, and nothing is thrown. Its length isn't limited here.
 * @param head is filled in when it is whole: valid until the bytes change or the next head is read into it
 * @param isHead the answer is one to HEAD: whatever it announces, no body follows
 * @returns the position behind the head; INCOMPLETE while bytes are missing; or, as a clause, why it can't be passed on
 */
export function parseResponseHead(
  head: ResponseHead,
  bytes: Buffer,
  start: number,
  end: number,
  isHead: boolean,
): number | string {
  const { fields } = head;
  fields.reset(bytes);
  head.sent = undefined;
  const afterLine = readStatusLine(head, bytes, start, end);
  if (typeof afterLine === "string" || afterLine === INCOMPLETE) return afterLine;
  head.fieldsStart = afterLine;
  const next = readFields(fields, afterLine, end, "lenient");
  if (typeof next === "string" || next === INCOMPLETE) return next;
  head.end = next;
  readConnectionOptions(fields, head);
  // What delimits the answer here has to delimit it there, too.
  if (head.listed !== undefined) head.listed = head.listed.filter((name) => name !== "content-length");
  return readFraming(head, isHead) ?? next;
}

function readStatusLine(head: ResponseHead, bytes: Buffer, start: number, end: number): number | string {
  const code = start + VERSION.length;
  for (let index = start; index < Math.min(code, end); index++)
    if (bytes[index] !== VERSION[index - start] && !(index === code - 2 && bytes[index] === 0x30)) return NOT_HTTP;
  let position = code;
  while (position < end && VALUE[bytes[position] ?? 0] !== 0) position++;
  if (position >= end) return INCOMPLETE;
  const { fields } = head;
  head.start = start;
  head.minorVersion = bytes[code - 2] === 0x30 ? 0 : 1;
  head.reasonStart = Math.min(code + 4, position);
  if (position < code + 4) fields.clean = false; // the space that stands before no reason, too, is missing (RFC 9112 §4)
  head.reasonEnd = position;
  const next = lineEnd(fields, position, end, "lenient");
  return typeof next === "string" ? next : (readStatus(head, bytes, code, position) ?? next);
}

function readStatus(head: ResponseHead, bytes: Buffer, code: number, behindLine: number): string | undefined {
  const hundreds = bytes[code] ?? 0;
  const tens = bytes[code + 1] ?? 0;
  const ones = bytes[code + 2] ?? 0;
  const behind = behindLine > code + 3 ? bytes[code + 3] : SPACE;
  if (
    behindLine < code + 3 ||
    hundreds === 0x30 ||
    !isDigit(hundreds) ||
    !isDigit(tens) ||
    !isDigit(ones) ||
    behind !== SPACE
  )
    return "its status isn't a number from 100 to 999";
  head.status = hundreds * 100 + tens * 10 + ones - 0x30 * 111;
  return undefined;
}

const VERSION = Buffer.from("HTTP/1.1 ");

const NOT_HTTP = "it doesn't begin with HTTP/1.0 or HTTP/1.1";

/** RFC 9112 §6.3. Of two lengths, or a length beside chunks, nobody knows which the app meant. */
function readFraming(head: ResponseHead, isHead: boolean): string | undefined {
  const { fields } = head;
  const { bytes, valueStart, valueEnd } = fields;
  if (fields.has(FieldKind.disguised)) return "a field reads as Content-Length or Transfer-Encoding, and isn't";
  const encoding = fields.find(FieldKind.transferEncoding);
  if (
    encoding >= 0 &&
    (fields.repeats(FieldKind.transferEncoding) ||
      !equalsText(bytes, valueStart[encoding] ?? 0, valueEnd[encoding] ?? 0, "chunked"))
  )
    return "its Transfer-Encoding isn't chunked";
  const length = readLength(fields);
  if (typeof length === "string") return length;
  if (encoding >= 0 && length >= 0) return "it has Content-Length beside Transfer-Encoding";
  if (encoding >= 0 && head.minorVersion === 0) return "HTTP/1.0 has no Transfer-Encoding";
  const bodiless = isHead || head.status < 200 || head.status === 204 || head.status === 304;
  head.contentLength = bodiless || length < 0 ? 0 : length;
  if (bodiless || length === 0) head.framing = "none";
  else if (encoding >= 0) head.framing = "chunked";
  else head.framing = length > 0 ? "length" : "close";
  return undefined;
}

/** Octets; -1 without the field. Several that say the same are one (RFC 9110 §8.6). */
function readLength(fields: Fields): number | string {
  let length = -1;
  for (let index = fields.find(FieldKind.contentLength); index >= 0 && index < fields.count; index++) {
    if (fields.kind[index] !== FieldKind.contentLength) continue;
    const octets = contentLength(fields.bytes, fields.valueStart[index] ?? 0, fields.valueEnd[index] ?? 0);
    if (octets < 0) return "its Content-Length is not a number of octets";
    if (length >= 0 && length !== octets) return "it has two different Content-Length fields";
    length = octets;
    if (!fields.repeats(FieldKind.contentLength)) break;
  }
  return length;
}
