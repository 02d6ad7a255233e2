import { type BodySink, ChunkedDecoder } from "./chunked.ts";
import type { Framing } from "./request-head.ts";

/** Reads one message body after the other, each by its framing (RFC 9112 §6.3). */
export class BodyReader {
  readonly #chunks = new ChunkedDecoder();
  #framing: Framing = "none";
  #left = 0;

  /** @param length octets, with framing `length` */
  begin(framing: Framing, length: number): void {
    this.#framing = framing;
    this.#left = length;
    if (framing === "chunked") this.#chunks.reset();
  }

  /** Whether nothing of the body is missing. A body that ends with its connection never says so. */
  get ended(): boolean {
    if (this.#framing === "chunked") return this.#chunks.ended;
    return this.#framing !== "close" && this.#left === 0;
  }

  /** Whether the sender's end of the connection is the body's end. */
  get endsByClose(): boolean {
    return this.#framing === "close";
  }

  /** @returns the position behind what belongs to the body, or what is wrong with it */
  read(bytes: Buffer, start: number, end: number, sink: BodySink): number | string {
    if (this.#framing === "chunked") return this.#chunks.decode(bytes, start, end, sink);
    const next = this.#framing === "close" ? end : Math.min(end, start + this.#left);
    if (next > start) sink.data(bytes, start, next);
    if (this.#framing === "length") this.#left -= next - start;
    return next;
  }
}
