import { CR, LF } from "../http1/bytes.ts";
import { BARE_CR, BARE_LF } from "../http1/fields.ts";
import { HEAD_TOO_LONG, MAX_HEAD, type Refusal, badRequest } from "../http1/refusal.ts";
import type { RepeatedFields } from "../http1/repeated-fields.ts";
import { type RequestHead, parseRequestHead } from "../http1/request-head.ts";
import { MAX_TARGET, TARGET_TOO_LONG } from "../http1/request-line.ts";

const HEAD_END = "\r\n\r\n";

/** Gathers a client's bytes until a request's head is whole. */
export class RequestReader {
  readonly #before: RepeatedFields | undefined;
  /** What is there of a head. */
  #partial: Buffer | undefined;
  /** Whether the empty line that may stand before a request was skipped (RFC 9112 §2.2). */
  #skipped = false;

  /** @param before the fields of the connection's last request */
  constructor(before?: RepeatedFields) {
    this.#before = before;
  }

  /** Whether a head has begun and isn't whole. */
  get isReading(): boolean {
    return this.#partial !== undefined;
  }

  /**
   * Takes more bytes.
   * @param head is filled in, and valid for as long as `more` and what is returned are
   * @returns what stands behind the head; a refusal; or nothing while bytes are missing
   */
  read(head: RequestHead, more: Buffer): Buffer | Refusal | undefined {
    // Nearly always: one request, and nothing else.
    if (this.#partial === undefined && isOneHead(more)) {
      this.#skipped = false;
      return parseRequestHead(head, more, 0, more.length, this.#before) ?? rest(head, more);
    }
    const looked = this.#partial?.length ?? 0;
    let bytes = this.#partial === undefined ? more : Buffer.concat([this.#partial, more]);
    if (!this.#skipped && bytes[0] === CR && bytes[1] === LF) {
      this.#skipped = true;
      bytes = bytes.subarray(2);
    }
    const found = bytes.indexOf(HEAD_END, Math.max(0, looked - 3), "latin1");
    if ((found < 0 ? bytes.length : found + HEAD_END.length) > MAX_HEAD) return tooLong(bytes);
    if (found < 0) {
      this.#partial = bytes.length === 0 ? undefined : bytes;
      return malformedSoFar(bytes, Math.max(0, looked - 1));
    }
    this.#partial = undefined;
    this.#skipped = false;
    return parseRequestHead(head, bytes, 0, bytes.length, this.#before) ?? rest(head, bytes);
  }
}

/** Whether an empty line is the last thing in `bytes`; another one may stand before it. */
function isOneHead(bytes: Buffer): boolean {
  const { length } = bytes;
  return (
    length <= MAX_HEAD &&
    bytes[length - 1] === LF &&
    bytes[length - 3] === LF &&
    bytes[length - 2] === CR &&
    bytes[0] !== CR
  );
}

function rest(head: RequestHead, bytes: Buffer): Buffer {
  return head.end === bytes.length ? EMPTY : bytes.subarray(head.end);
}

const EMPTY = Buffer.alloc(0);

function tooLong(bytes: Buffer): Refusal {
  return bytes.subarray(0, MAX_TARGET).includes(CR) ? HEAD_TOO_LONG : TARGET_TOO_LONG;
}

/** What can't become a head is refused at once: its sender waits for an answer to it as it is. */
function malformedSoFar(bytes: Buffer, from: number): Refusal | undefined {
  for (let position = from; position < bytes.length; position++) {
    const octet = bytes[position];
    if (octet === 0) return badRequest("the head holds a NUL");
    if (octet === LF && bytes[position - 1] !== CR) return badRequest(BARE_LF);
    if (octet === CR && position + 1 < bytes.length && bytes[position + 1] !== LF) return badRequest(BARE_CR);
  }
  return undefined;
}
