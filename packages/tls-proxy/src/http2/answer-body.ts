import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { BodySink } from "../http1/chunked.ts";
import { mayTrail } from "../http1/chunks.ts";
import type { Fields } from "../http1/fields.ts";
import type { Outgoing } from "../http1/outgoing.ts";
import { COPIED_AT_MOST } from "../relay/request-body.ts";
import { addField } from "./header-object.ts";

/** Carries an answer's body on a stream, no faster than the client takes it. */
export class AnswerBody implements BodySink {
  /** Octets of the body. */
  length = 0;
  readonly #stream: ServerHttp2Stream;
  readonly #out: Outgoing;
  readonly #onTaken: () => void;
  readonly #trailers: OutgoingHttpHeaders = {};
  #ended = false;
  /** How many pieces that are written without a copy the client hasn't taken yet. */
  #uncopied = 0;

  /** @param out shared; empty between two events @param onTaken called when the client has taken what was too much */
  constructor(stream: ServerHttp2Stream, out: Outgoing, onTaken: () => void) {
    this.#stream = stream;
    this.#out = out;
    this.#onTaken = onTaken;
  }

  /** No more of it goes with the answer. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends the answer's head. @param fields names and values in turn @param hasBody whether more may follow */
  begin(fields: readonly string[], hasBody: boolean, mayHaveTrailers: boolean): void {
    const waitForTrailers = hasBody && mayHaveTrailers;
    if (waitForTrailers) this.#stream.once("wantTrailers", () => this.#stream.sendTrailers(this.#trailers));
    this.#ended = !hasBody;
    this.#stream.respond(fields, { endStream: !hasBody, waitForTrailers });
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#ended) return;
    this.length += end - start;
    if (end - start <= COPIED_AT_MOST) return this.#out.copy(bytes, start, end);
    if (this.#out.length > 0) this.#stream.write(this.#out.take());
    // The app's connection reads into the same bytes again: not before these went out.
    this.#uncopied++;
    this.#stream.write(bytes.subarray(start, end), () => {
      if (--this.#uncopied === 0) this.#onTaken();
    });
  }

  trailers(fields: Fields): void {
    for (let index = 0; index < fields.count; index++)
      if (mayTrail(fields.kind[index] ?? 0)) addField(this.#trailers, fields.name(index), fields.value(index));
  }

  /** Writes what is gathered. @returns whether the client took it all */
  flush(complete: boolean): boolean {
    const bytes = this.#out.length > 0 ? this.#out.take() : undefined;
    if (complete) {
      if (!this.#ended) this.#stream.end(bytes);
      this.#ended = true;
      return this.#uncopied === 0;
    }
    const flows = bytes === undefined || this.#stream.write(bytes);
    if (this.#uncopied > 0) return false;
    if (!flows) this.#stream.once("drain", this.#onTaken);
    return flows;
  }
}
