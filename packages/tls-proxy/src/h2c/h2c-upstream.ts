import { type ClientHttp2Stream, constants } from "node:http2";
import { BodyReader } from "../http1/body.ts";
import type { BodySink } from "../http1/chunked.ts";
import type { Fields } from "../http1/fields.ts";
import { RequestHead, parseRequestHead } from "../http1/request-head.ts";
import { trailerSection } from "../http2/trailer-section.ts";
import { isRepeatable } from "../relay/repeatable.ts";
import type { AnswerReceiver, FailureKind } from "../upstream/answer-receiver.ts";
import type { Expectation, Upstream } from "../upstream/upstream.ts";
import { answerHead } from "./answer-head.ts";
import { Repeats } from "./repeats.ts";
import { requestList } from "./request-list.ts";
import type { H2cSession, SessionSource } from "./session-source.ts";

/** Used within one call only. */
const HEAD = new RequestHead();

/** One exchange with an app that speaks HTTP/2 without TLS: what is said of it in HTTP/1.1 becomes a stream. */
export class H2cUpstream implements Upstream, BodySink {
  readonly #sessions: SessionSource;
  #session: H2cSession;
  readonly #body = new BodyReader();
  #stream: ClientHttp2Stream | undefined;
  #receiver: AnswerReceiver | undefined;
  #repeats: Repeats | undefined;
  /** A request that may be sent again: it is idempotent and all in its head. */
  #repeatable: readonly string[] | undefined;
  #withdraw: (() => void) | undefined;
  /** The app has begun to answer. */
  #isAnswered = false;
  #isHead = false;
  #isRefused = false;
  #flows = true;
  #requestTrailers: Record<string, string> = {};
  #answerTrailers: readonly string[] | undefined;
  /** The answer is complete, but not yet taken. */
  #isComplete = false;
  #error: Error | undefined;

  constructor(session: H2cSession, sessions: SessionSource) {
    this.#session = session;
    this.#sessions = sessions;
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
    const list = requestList(HEAD);
    const endStream = HEAD.framing === "none";
    if (isRepeatable(HEAD)) this.#repeatable = list;
    this.#request(list, { endStream, waitForTrailers: HEAD.framing === "chunked" });
    return HEAD.end;
  }

  #request(list: readonly string[], options: { endStream: boolean; waitForTrailers: boolean }): void {
    const stream = this.#session.session.request(list, options);
    this.#stream = stream;
    if (options.waitForTrailers) stream.once("wantTrailers", () => stream.sendTrailers(this.#requestTrailers));
    this.#listen(stream, this.#session);
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
    this.#withdraw?.();
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  #listen(stream: ClientHttp2Stream, session: H2cSession): void {
    session.streams++;
    stream
      .on("headers", (_fields, flags, raw) => this.#head(raw, flags))
      .once("response", (_fields, flags, raw) => this.#head(raw, flags))
      .once("trailers", (_fields, _flags, raw) => (this.#answerTrailers = raw))
      .on("data", (bytes: Buffer) => this.#read(bytes))
      .once("end", () => this.#ended())
      .on("drain", () => this.#receiver?.writable())
      .once("error", (error) => (this.#error = error))
      .once("close", () => this.#closed(stream, session));
  }

  #head(raw: readonly string[], flags: number): void {
    const receiver = this.#receiver;
    this.#isAnswered = true;
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

  #closed(stream: ClientHttp2Stream, session: H2cSession): void {
    session.streams--;
    if (this.#isComplete || this.#receiver === undefined) return;
    const list = this.#isAnswered ? undefined : this.#repeatable;
    const pause = list && (this.#repeats ??= new Repeats(this.#sessions.wait)).next(stream, session.session);
    if (list === undefined || pause === undefined)
      return this.#fail("broke-off", this.#error ?? new Error("the app reset the stream"));
    const timer = setTimeout(() => this.#sendAgain(list), pause);
    this.#withdraw = () => clearTimeout(timer);
  }

  #sendAgain(list: readonly string[]): void {
    this.#stream = this.#error = undefined;
    this.#withdraw = this.#sessions.find(
      (session) => {
        this.#session = session;
        this.#request(list, { endStream: true, waitForTrailers: false });
      },
      (error) => this.#fail("away", error),
    );
  }

  #fail(kind: FailureKind, error: Error): void {
    const receiver = this.#receiver;
    this.abort();
    receiver?.failed({ kind, error });
  }
}
