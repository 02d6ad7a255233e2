import { CHUNK_END, LAST_CHUNK, chunkStart, lastChunkWith } from "../http1/chunks.ts";
import type { Outgoing } from "../http1/outgoing.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { trailerSection } from "./trailer-section.ts";

/** Puts a stream's DATA into the framing of HTTP/1.1, and holds it against the length that was announced. */
export class RequestBody {
  /** Octets that have come. */
  length = 0;
  ended: boolean;
  readonly announced: number;
  readonly #chunked: boolean;
  readonly #out: Outgoing;

  /** @param out shared; empty between two calls */
  constructor({ framing, contentLength }: Pick<RequestHead, "framing" | "contentLength">, out: Outgoing) {
    this.ended = framing === "none";
    this.announced = contentLength;
    this.#chunked = framing === "chunked";
    this.#out = out;
  }

  /** @returns the bytes for the app, or nothing when there are more than announced (RFC 9113 §8.1.1) */
  data(bytes: Buffer): Buffer | undefined {
    this.length += bytes.length;
    if (!this.#chunked) return this.length > this.announced ? undefined : bytes;
    if (bytes.length === 0) return bytes; // an empty chunk would end the body
    chunkStart(bytes.length, this.#out);
    this.#out.copy(bytes, 0, bytes.length);
    this.#out.text(CHUNK_END);
    return this.#out.take();
  }

  /**
   * The stream has ended.
   * @param rawTrailers names and values in turn; they pass behind a body in chunks
   * @returns the last bytes for the app; or nothing when the body isn't what was announced
   */
  end(rawTrailers: readonly string[] | undefined): Buffer | undefined {
    if (this.#chunked) {
      const trailers = rawTrailers && trailerSection(rawTrailers);
      if (rawTrailers !== undefined && trailers === undefined) return undefined;
      if (trailers === undefined) this.#out.text(LAST_CHUNK);
      else lastChunkWith(trailers, this.#out);
    } else if (this.length !== this.announced) return undefined;
    this.ended = true;
    return this.#out.take();
  }
}
