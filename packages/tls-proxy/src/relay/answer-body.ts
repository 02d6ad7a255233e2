// Hot path: small pieces are gathered behind the head, so that most answers are one write.
import type { TLSSocket } from "node:tls";
import type { BodySink } from "../http1/chunked.ts";
import { CHUNK_END, LAST_CHUNK, chunkStart, lastChunkWith } from "../http1/chunks.ts";
import type { Fields } from "../http1/fields.ts";
import type { Outgoing } from "../http1/outgoing.ts";
import { COPIED_AT_MOST } from "./request-body.ts";

/** Carries an answer's body to a client of HTTP/1.1, no faster than it takes it. */
export class AnswerBody implements BodySink {
  /** Octets of the body, without its framing. */
  length = 0;
  /** Whether it goes in chunks. */
  chunked = false;
  readonly #socket: TLSSocket;
  readonly #out: Outgoing;
  readonly #stallTimeout: number;
  readonly #onTaken: () => void;
  #hasTrailers = false;
  /** How many pieces that are written without a copy the client hasn't taken yet. */
  #uncopied = 0;

  /**
   * @param out shared; empty between two events
   * @param stallTimeout how long the client may take nothing, milliseconds
   * @param onTaken called when the client has taken what was too much
   */
  constructor(socket: TLSSocket, out: Outgoing, stallTimeout: number, onTaken: () => void) {
    this.#socket = socket;
    this.#out = out;
    this.#stallTimeout = stallTimeout;
    this.#onTaken = onTaken;
  }

  begin(): void {
    this.length = 0;
    this.chunked = this.#hasTrailers = false;
  }

  /** Whether bytes of the app's connection are still to go out. */
  get isGoingOut(): boolean {
    return this.#uncopied > 0;
  }

  data(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.length += length;
    if (this.chunked) chunkStart(length, this.#out);
    if (length <= COPIED_AT_MOST) this.#out.copy(bytes, start, end);
    else {
      if (this.#out.length > 0) this.#socket.write(this.#out.take());
      // The app's connection reads into the same bytes again: not before these went out.
      this.#uncopied++;
      this.#socket.write(bytes.subarray(start, end), () => {
        this.#uncopied--;
        this.drained();
      });
    }
    if (this.chunked) this.#out.text(CHUNK_END);
  }

  trailers(fields: Fields): void {
    if (!this.chunked) return;
    this.#hasTrailers = true;
    lastChunkWith(fields, this.#out);
  }

  /** Writes what is gathered. @returns whether the client took it all */
  flush(complete: boolean): boolean {
    const socket = this.#socket;
    if (complete && this.chunked && !this.#hasTrailers) this.#out.text(LAST_CHUNK);
    if (this.#out.length > 0) socket.write(this.#out.take());
    if (this.#uncopied === 0 && !socket.writableNeedDrain) return true;
    socket.setTimeout(this.#stallTimeout);
    return false;
  }

  /** What wasn't copied or was too much went out. */
  drained(): void {
    if (this.#uncopied > 0 || this.#socket.writableNeedDrain) return;
    this.#socket.setTimeout(0);
    this.#onTaken();
  }
}
