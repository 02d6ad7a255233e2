import { BodyReader } from "../http1/body.ts";
import type { BodySink } from "../http1/chunked.ts";
import { CHUNK_END, LAST_CHUNK, chunkStart, lastChunkWith } from "../http1/chunks.ts";
import type { Fields } from "../http1/fields.ts";
import type { Outgoing } from "../http1/outgoing.ts";
import type { Framing, RequestHead } from "../http1/request-head.ts";

/** A piece up to this size is copied behind what was gathered before it; a larger one is written as it is. */
export const COPIED_AT_MOST = 16 * 1024;

/** The same towards the app, whose bytes are nobody else's: a TLS record of 16 KiB is better written as it is. */
const SMALL = 4 * 1024;

/** Where a request's body goes. */
export interface BodyTarget {
  write(bytes: Buffer): boolean;
}

/** Reads a client's request body, and hands it on in the framing that it came in. */
export class RequestBody implements BodySink {
  /** Octets of the body, without its framing; what a tunnel carries is added. */
  length = 0;
  readonly #reader = new BodyReader();
  readonly #out: Outgoing;
  #target: BodyTarget | undefined;
  #framing: Framing = "none";
  #hasTrailers = false;
  #flows = true;
  /** The client waits for a 100 before it sends the body. */
  #expectsContinue = false;

  /** @param out shared; empty outside of `read` */
  constructor(out: Outgoing) {
    this.#out = out;
  }

  begin(head: RequestHead): void {
    this.#framing = head.framing;
    this.#reader.begin(head.framing, head.contentLength);
    this.length = 0;
    this.#hasTrailers = false;
    this.#expectsContinue = head.expectsContinue;
  }

  get ended(): boolean {
    return this.#reader.ended;
  }

  /** The client got its 100. */
  continued(): void {
    this.#expectsContinue = false;
  }

  /** Whether the client waits for a word of the app, and nothing has come meanwhile. */
  get isHeldBack(): boolean {
    return this.#expectsContinue && this.length === 0;
  }

  /** Whether a client that got no 100 may send it or not, as it likes (RFC 9110 §10.1.1). */
  get mayStayAway(): boolean {
    return this.#expectsContinue && !this.ended;
  }

  /**
   * Reads on, and gathers in `out` what isn't written yet.
   * @returns the position behind what belongs to the body, or what is wrong with it
   */
  read(bytes: Buffer, target: BodyTarget): number | string {
    this.#target = target;
    this.#flows = true;
    const used = this.#reader.read(bytes, 0, bytes.length, this);
    if (typeof used === "number" && this.#framing === "chunked" && this.ended && !this.#hasTrailers)
      this.#out.text(LAST_CHUNK);
    return used;
  }

  /** Whether the target took all that was written in the last `read`. */
  get flows(): boolean {
    return this.#flows;
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.length += end - start;
    if (this.#framing === "chunked") chunkStart(end - start, this.#out);
    if (end - start <= SMALL) this.#out.copy(bytes, start, end);
    else {
      if (this.#out.length > 0) this.#target?.write(this.#out.take());
      this.#flows = this.#target?.write(bytes.subarray(start, end)) ?? true;
    }
    if (this.#framing === "chunked") this.#out.text(CHUNK_END);
  }

  trailers(fields: Fields): void {
    this.#hasTrailers = true;
    lastChunkWith(fields, this.#out);
  }
}
