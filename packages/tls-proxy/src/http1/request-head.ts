// Hot path: see fields.ts.
import { equalsText } from "./bytes.ts";
import { type ConnectionOptions, readConnectionOptions } from "./connection-options.ts";
import { contentLength } from "./content-length.ts";
import { FieldKind } from "./field-kind.ts";
import { Fields, INCOMPLETE, TOO_MANY_FIELDS, readFields } from "./fields.ts";
import { malformedHost } from "./host.ts";
import { type Refusal, badRequest } from "./refusal.ts";
import { type RepeatedFields, isOrdinary } from "./repeated-fields.ts";
import { type RequestLine, readRequestLine } from "./request-line.ts";

/** How a message's body is delimited (RFC 9112 §6). */
export type Framing = "none" | "length" | "chunked" | "close";

/**
 * The head of a request (RFC 9112 §2), as offsets into its bytes; reused from request to request. It is valid until
 * the bytes change.
 */
export class RequestHead implements ConnectionOptions, RequestLine {
  readonly fields = new Fields();
  minorVersion: 0 | 1 = 1;
  start = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** The authority of an absolute-form target; empty for the other forms. */
  authorityStart = 0;
  authorityEnd = 0;
  /** Behind the authority of an absolute-form target, else the target's start. */
  pathStart = 0;
  fieldsStart = 0;
  /** Behind the empty line. */
  end = 0;
  /** The field called Host, or -1. */
  host = -1;
  framing: Framing = "none";
  /** Octets, with framing `length`; 0 otherwise. */
  contentLength = 0;
  close = false;
  keepAlive = false;
  upgrade = false;
  listed: readonly string[] | undefined;
  expectsContinue = false;
  /** The index of the Upgrade field of a request that asks for another protocol by a matching pair; or -1. */
  upgradeField = -1;
  /** The fields are those of the request before, and weren't read again. */
  repeats = false;

  get bytes(): Buffer {
    return this.fields.bytes;
  }

  get method(): string {
    return this.bytes.toString("latin1", this.start, this.methodEnd);
  }

  get target(): string {
    return this.bytes.toString("latin1", this.targetStart, this.targetEnd);
  }

  /** What the request is for: the authority of an absolute-form target, else Host (RFC 9112 §3.2.2), else empty. */
  get authority(): string {
    if (this.authorityEnd > this.authorityStart)
      return this.bytes.toString("latin1", this.authorityStart, this.authorityEnd);
    return this.host < 0 ? "" : this.fields.value(this.host);
  }

  hasMethod(name: string): boolean {
    return equalsExactly(this.bytes, this.start, this.methodEnd, name);
  }
}

/**
 * Reads the head at `bytes[start, end)`, which holds an empty line and so a whole head; `head.end` is behind it. What two
 * readers could take in two ways is refused, never repaired (RFC 9112 §11.2). Nothing is copied or kept but `head`, and nothing is thrown.
 * @param head is filled in: valid until the bytes change or the next head is read into it
 * @param before the fields of the connection's request before: where they stand again, `head.repeats` is true, and `head.fields` empty
 * @returns nothing when the request may pass; else the status that its client gets (400, 414, 417, 431, 501 or 505), and why
 */
export function parseRequestHead(
  head: RequestHead,
  bytes: Buffer,
  start: number,
  end: number,
  before?: RepeatedFields,
): Refusal | undefined {
  const { fields } = head;
  fields.reset(bytes);
  const wrong = readRequestLine(head, bytes, start, end);
  if (wrong !== undefined) return wrong;
  head.repeats = before !== undefined && isOrdinary(head) && before.standAt(bytes, head.fieldsStart);
  if (before !== undefined && head.repeats) {
    head.end = head.fieldsStart + before.length;
    repeat(head);
    return undefined;
  }
  const next = readFields(fields, head.fieldsStart, end, "strict");
  if (typeof next === "string") return { status: next === TOO_MANY_FIELDS ? 431 : 400, reason: next };
  if (next === INCOMPLETE) return badRequest("the head has no end");
  head.end = next;
  readConnectionOptions(fields, head);
  const reason = readKnownFields(head) ?? head.listed?.map(mayNotBeListed).find((one) => one !== undefined);
  if (reason !== undefined) return badRequest(reason);
  return judgeExpectation(head);
}

/** What is true of every request whose fields are kept. */
function repeat(head: RequestHead): void {
  head.framing = "none";
  head.contentLength = 0;
  head.host = head.upgradeField = -1;
  head.close = head.keepAlive = head.upgrade = head.expectsContinue = false;
  head.listed = undefined;
}

/** Host, framing, Upgrade and Expect. */
function readKnownFields(head: RequestHead): string | undefined {
  const { fields } = head;
  if (fields.repeated !== 0) {
    const twice = ONCE.find(([kind]) => fields.repeats(kind));
    if (twice !== undefined) return `there is more than one ${twice[1]} field`;
  }
  if (fields.has(FieldKind.disguised))
    return "a field reads as Content-Length or Transfer-Encoding to some apps, and isn't";
  head.host = fields.find(FieldKind.host);
  head.expectsContinue = fields.has(FieldKind.expect);
  const problem = malformedHost(head) ?? readFraming(head);
  if (problem !== undefined) return problem;
  const mayUpgrade = head.upgrade && head.minorVersion === 1 && head.framing === "none";
  head.upgradeField = mayUpgrade ? fields.find(FieldKind.upgrade) : -1;
  return undefined;
}

const ONCE: readonly (readonly [FieldKind, string])[] = [
  [FieldKind.host, "Host"],
  [FieldKind.contentLength, "Content-Length"],
  [FieldKind.transferEncoding, "Transfer-Encoding"],
  [FieldKind.upgrade, "Upgrade"],
  [FieldKind.expect, "Expect"],
];

function readFraming(head: RequestHead): string | undefined {
  const { fields } = head;
  const { bytes, valueStart, valueEnd } = fields;
  const length = fields.find(FieldKind.contentLength);
  const encoding = fields.find(FieldKind.transferEncoding);
  head.framing = "none";
  head.contentLength = 0;
  if (encoding >= 0) {
    if (head.minorVersion === 0) return "HTTP/1.0 has no Transfer-Encoding";
    if (length >= 0) return "there is Content-Length beside Transfer-Encoding";
    if (!equalsText(bytes, valueStart[encoding] ?? 0, valueEnd[encoding] ?? 0, "chunked"))
      return "the only Transfer-Encoding served is chunked";
    head.framing = "chunked";
  } else if (length >= 0) {
    const octets = contentLength(bytes, valueStart[length] ?? 0, valueEnd[length] ?? 0);
    if (octets < 0) return "Content-Length is not a number of octets";
    head.contentLength = octets;
    if (octets > 0) head.framing = "length";
  }
  return undefined;
}

/** A client must not be able to take these away from a request by listing them as its connection's own. */
function mayNotBeListed(name: string): string | undefined {
  const protectedName = ["host", "content-length", "transfer-encoding"].includes(name.replaceAll("_", "-"));
  return protectedName ? `Connection may not list ${name.replaceAll("_", "-")}` : undefined;
}

/** The one expectation that exists is 100-continue (RFC 9110 §10.1.1). HTTP/1.0 knows none: it is ignored. */
function judgeExpectation(head: RequestHead): Refusal | undefined {
  if (!head.expectsContinue) return undefined;
  if (head.minorVersion === 0) {
    head.expectsContinue = false;
    return undefined;
  }
  const { fields } = head;
  const index = fields.find(FieldKind.expect);
  if (equalsText(fields.bytes, fields.valueStart[index] ?? 0, fields.valueEnd[index] ?? 0, "100-continue"))
    return undefined;
  return { status: 417, reason: "the only expectation served is 100-continue" };
}

function equalsExactly(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text.charCodeAt(index)) return false;
  return true;
}
