import { CR, HEX, LF, SEMICOLON, SPACE, TAB, VALUE } from "./bytes.ts";
import { Fields, INCOMPLETE, readFields } from "./fields.ts";

/** Who gets what a chunked body holds. Bytes are valid during the call. */
export interface BodySink {
  data(bytes: Buffer, start: number, end: number): void;
  /** Called once behind the last chunk if there are trailer fields. */
  trailers(fields: Fields): void;
}

const MAX_SIZE_DIGITS = 16;
const MAX_EXTENSION = 1024;
const MAX_TRAILERS = 8 * 1024;

type State = "size" | "extension" | "size-lf" | "data" | "data-cr" | "data-lf" | "trailers" | "end";

/**
 * Decodes a chunked body (RFC 9112 §7.1) as it comes, however it is cut: sizes strictly hexadecimal with 16 digits at most, line ends
 * CRLF, extensions (1 KiB at most) dropped, trailer fields (8 KiB at most) checked like header fields. Of data nothing is copied or kept.
 */
export class ChunkedDecoder {
  #state: State = "size";
  #size = 0;
  #digits = 0;
  #extension = 0;
  #trailers: Buffer = EMPTY;

  /** To the beginning of another body. */
  reset(): void {
    this.#state = "size";
    this.#size = this.#digits = this.#extension = 0;
    this.#trailers = EMPTY;
  }

  /** Whether the last chunk and its trailers were read. */
  get ended(): boolean {
    return this.#state === "end";
  }

  /**
   * Decodes `bytes[start, end)`; stops behind the body's end.
   * @returns the position behind what was used: `end` unless the body has ended; or, as a clause, what is wrong with the body
   */
  decode(bytes: Buffer, start: number, end: number, sink: BodySink): number | string {
    let position = start;
    while (position < end && this.#state !== "end") {
      const next =
        this.#state === "data"
          ? this.#readData(bytes, position, end, sink)
          : this.#state === "trailers"
            ? this.#readTrailers(bytes, position, end, sink)
            : this.#readDelimiter(bytes[position] ?? 0, position);
      if (typeof next === "string") return next;
      position = next;
    }
    return position;
  }

  #readData(bytes: Buffer, position: number, end: number, sink: BodySink): number {
    const next = Math.min(end, position + this.#size);
    sink.data(bytes, position, next);
    this.#size -= next - position;
    if (this.#size === 0) this.#state = "data-cr";
    return next;
  }

  /** One octet of what stands between two chunks' data. */
  #readDelimiter(octet: number, position: number): number | string {
    switch (this.#state) {
      case "size":
        return this.#readSize(octet) ?? position + 1;
      case "extension":
        if (octet === CR) this.#state = "size-lf";
        else if (VALUE[octet] === 0 || ++this.#extension > MAX_EXTENSION)
          return "a chunk extension is malformed or too long";
        return position + 1;
      case "size-lf":
        if (octet !== LF) return "a chunk size doesn't end in CRLF";
        this.#state = this.#size === 0 ? "trailers" : "data";
        this.#digits = 0;
        return position + 1;
      case "data-cr":
        if (octet !== CR) return "a chunk is longer than its size says";
        this.#state = "data-lf";
        return position + 1;
      default:
        if (octet !== LF) return "a chunk doesn't end in CRLF";
        this.#state = "size";
        this.#size = this.#extension = 0;
        return position + 1;
    }
  }

  #readSize(octet: number): string | undefined {
    const digit = HEX[octet] ?? 0;
    if (digit > 0) {
      this.#size = this.#size * 16 + (digit - 1); // in this order: 2^53 + 1 - 1 is 2^53 - 1
      if (++this.#digits > MAX_SIZE_DIGITS || !Number.isSafeInteger(this.#size)) return "a chunk size is too large";
    } else if (this.#digits === 0) return "a chunk size isn't hexadecimal";
    else if (octet === CR) this.#state = "size-lf";
    else if (octet === SEMICOLON) this.#state = "extension";
    // RFC 9112 §7.1.1 lets white space stand before the semicolon; some readers take it for the size's end, some don't.
    else
      return octet === SPACE || octet === TAB
        ? "white space stands behind a chunk size"
        : "a chunk size isn't hexadecimal";
    return undefined;
  }

  #readTrailers(bytes: Buffer, position: number, end: number, sink: BodySink): number | string {
    if (this.#trailers.length === 0 && bytes[position] === CR && bytes[position + 1] === LF && position + 1 < end) {
      this.#state = "end";
      return position + 2;
    }
    const before = this.#trailers.length;
    this.#trailers = Buffer.concat([this.#trailers, bytes.subarray(position, end)]);
    TRAILERS.reset(this.#trailers);
    const used = readFields(TRAILERS, 0, this.#trailers.length, "strict");
    if (typeof used === "string") return `in the trailers, ${used}`;
    if (used === INCOMPLETE) return before + end - position > MAX_TRAILERS ? "the trailers are too long" : end;
    this.#state = "end";
    if (TRAILERS.count > 0) sink.trailers(TRAILERS);
    return position + used - before;
  }
}

const EMPTY = Buffer.alloc(0);
/** Used within one call only. */
const TRAILERS = new Fields();
