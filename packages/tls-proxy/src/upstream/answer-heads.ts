// Hot path: reading and forwarding a head costs some 1.5 µs, comparing it 0.1.
import { INCOMPLETE } from "../http1/fields.ts";
import { copyOf, KEPT_AT_MOST, PATIENCE } from "../http1/repeated-fields.ts";
import { ResponseHead, parseResponseHead } from "../http1/response-head.ts";

const MAX_HEAD = 64 * 1024;
const TOO_LONG = `its head is longer than ${MAX_HEAD} bytes`;

/** Used within one read only. */
const HEAD = new ResponseHead();

/**
 * Reads the heads of one connection's answers. Where not an octet differs from one that was kept, it is that one again:
 * asked for the same, an app says the same until the second in its Date is over.
 */
export class AnswerHeads {
  #kept: ResponseHead | undefined;
  #misses = 0;

  /**
   * Reads the head at `bytes[start, end)`.
   * @param isHead the answer is one to HEAD
   * @returns the head, valid until the bytes change or the next one is read; nothing while bytes are missing; or why it can't be passed on
   */
  read(bytes: Buffer, start: number, end: number, isHead: boolean): ResponseHead | string | undefined {
    if (!isHead && this.#kept !== undefined && standsAt(this.#kept, bytes, start, end)) {
      this.#misses = 0;
      return this.#kept;
    }
    const next = parseResponseHead(HEAD, bytes, start, end, isHead);
    if (typeof next === "string") return next;
    if ((next === INCOMPLETE ? end : next) - start > MAX_HEAD) return TOO_LONG;
    if (next === INCOMPLETE) return undefined;
    if (!isHead && HEAD.status >= 200) this.#miss(bytes, start, next);
    return HEAD;
  }

  #miss(bytes: Buffer, start: number, end: number): void {
    if (this.#misses++ % PATIENCE !== 0 || end - start > KEPT_AT_MOST) return;
    this.#kept ??= new ResponseHead();
    this.#kept.isKept = true;
    parseResponseHead(this.#kept, copyOf(bytes.subarray(start, end)), 0, end - start, false);
  }
}

function standsAt({ bytes: kept }: ResponseHead, bytes: Buffer, start: number, end: number): boolean {
  const behind = start + kept.length;
  return behind <= end && kept.compare(bytes, start, behind) === 0;
}
