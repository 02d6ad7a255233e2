import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import { BodyReader } from "../http1/body.ts";
import type { BodySink } from "../http1/chunked.ts";
import type { Fields } from "../http1/fields.ts";
import { RequestHead, parseRequestHead } from "../http1/request-head.ts";
import { trailerSection } from "../http2/trailer-section.ts";
import type { AnswerReceiver, FailureKind } from "../upstream/answer-receiver.ts";
import type { Expectation, Upstream } from "../upstream/upstream.ts";
import { answerHead } from "./answer-head.ts";
import { requestList } from "./request-list.ts";

/** Used within one call only. */
const HEAD = new RequestHead();

/** One exchange with an app that speaks HTTP/2 without TLS: what is said of it in HTTP/1.1 becomes a stream. */
export class H2cUpstream implements Upstream, BodySink {
  readonly #session: ClientHttp2Session;
  readonly #load: { streams: number };
  readonly #body = new BodyReader();
  #stream: ClientHttp2Stream | undefined;
  #receiver: AnswerReceiver | undefined;
  #isHead = false;
  #isRefused = false;
  #flows = true;
  #requestTrailers: Record<string, string> = {};
  #answerTrailers: readonly string[] | undefined;
  /** The answer is complete, but not yet taken. */
  #isComplete = false;
  #error: Error | undefined;

  /** @param load counts the streams of the session */
  constructor(session: ClientHttp2Session, load: { streams: number }) {
    this.#session = session;
    this.#load = load;
  }

  begin(receiver: AnswerReceiver, { isHead, wantsUpgrade }: Expectation): void {
    this.#receiver = receiver;
    this.#isHead = isHead;
    this.#isRefused = wantsUpgrade;
    if (wantsUpgrade)
      process.nextTick(() => this.#fail("malformed", new Error("WebSockets to an h2c app aren't served")));
  }

  /** @returns the position behind the head */
  #open(bytes: Buffer): number {
    parseRequestHead(HEAD, bytes, 0, bytes.length); // it was found good before
    this.#body.begin(HEAD.framing, HEAD.contentLength);
    const chunked = HEAD.framing === "chunked";
    const stream = this.#session.request(requestList(HEAD), {
      endStream: HEAD.framing === "none",
      waitForTrailers: chunked,
    });
    this.#stream = stream;
    if (chunked) stream.once("wantTrailers", () => stream.sendTrailers(this.#requestTrailers));
    this.#listen(stream);
    return HEAD.end;
  }

  write(bytes: Buffer): boolean {
    if (this.#isRefused) return true;
    const start = this.#stream === undefined ? this.#open(bytes) : 0;
    this.#flows = true;
    this.#body.read(bytes, start, bytes.length, this);
    return this.#flows;
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#stream?.writable === true) this.#flows = this.#stream.write(bytes.subarray(start, end));
  }

  trailers(fields: Fields): void {
    for (let index = 0; index < fields.count; index++) this.#requestTrailers[fields.name(index)] = fields.value(index);
  }

  requestEnded(): void {
    if (this.#stream?.writableEnded === false) this.#stream.end();
  }

  end(): void {
    this.requestEnded();
  }

  resume(): void {
    if (this.#isComplete) this.#finish();
    else this.#stream?.resume();
  }

  abort(): void {
    this.#receiver = undefined;
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  #listen(stream: ClientHttp2Stream): void {
    this.#load.streams++;
    stream
      .on("headers", (_fields, flags, raw) => this.#head(raw, flags))
      .once("response", (_fields, flags, raw) => this.#head(raw, flags))
      .once("trailers", (_fields, _flags, raw) => (this.#answerTrailers = raw))
      .on("data", (bytes: Buffer) => this.#read(bytes))
      .once("end", () => this.#ended())
      .on("drain", () => this.#receiver?.writable())
      .once("error", (error) => (this.#error = error))
      .once("close", () => this.#closed(stream));
  }

  #head(raw: readonly string[], flags: number): void {
    const receiver = this.#receiver;
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const head = answerHead(raw, this.#isHead, isWhole);
    if (typeof head === "string") this.#fail("malformed", new Error(head));
    else if (head.isInformational) {
      receiver?.informational(head);
      receiver?.flush(false);
    } else {
      receiver?.head(head);
      if (this.#receiver === receiver && !isWhole) receiver?.flush(false);
    }
  }

  #read(bytes: Buffer): void {
    this.#receiver?.data(bytes, 0, bytes.length);
    if (this.#receiver?.flush(false) === false) this.#stream?.pause();
  }

  #ended(): void {
    const receiver = this.#receiver;
    if (receiver === undefined || this.#stream?.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    const trailers = this.#answerTrailers && trailerSection(this.#answerTrailers);
    if (trailers !== undefined) receiver.trailers(trailers);
    this.#isComplete = true;
    if (receiver.flush(true)) this.#finish();
  }

  #finish(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    // The app answered early, and needn't take the rest.
    if (this.#stream?.writableEnded === false) this.#stream.close(constants.NGHTTP2_CANCEL);
    receiver?.ended();
  }

  #closed(stream: ClientHttp2Stream): void {
    this.#load.streams--;
    if (this.#isComplete) return;
    // RFC 9113 §8.7: nothing was done for it.
    const kind = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? "stale" : "broke-off";
    this.#fail(kind, this.#error ?? new Error("the app reset the stream"));
  }

  #fail(kind: FailureKind, error: Error): void {
    const receiver = this.#receiver;
    this.abort();
    receiver?.failed({ kind, error });
  }
}
