// Hot path: nothing is done for a stream that its request doesn't need.
import { type ServerHttp2Stream, constants } from "node:http2";
import { messageOf } from "@pillion/kit";
import type { Outcome } from "../access-log/access-entry.ts";
import { APP_AWAY, APP_FAILED, type OwnAnswer, refused } from "../answers/own-answer.ts";
import type { Fields } from "../http1/fields.ts";
import { forwardRequestHead } from "../http1/forward-request.ts";
import { answerFields } from "../http1/forward-response.ts";
import { Outgoing } from "../http1/outgoing.ts";
import type { Refusal } from "../http1/refusal.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { isEventStream } from "../relay/event-stream.ts";
import { ExchangeRecord } from "../relay/exchange-record.ts";
import type { RelayOptions } from "../relay/relay-options.ts";
import { isRepeatable } from "../relay/repeatable.ts";
import type { AnswerReceiver, UpstreamFailure } from "../upstream/answer-receiver.ts";
import { Dispatch, type Dispatcher } from "../upstream/dispatch.ts";
import type { Expectation, Upstream } from "../upstream/upstream.ts";
import { AnswerBody } from "./answer-body.ts";
import { headerObject } from "./header-object.ts";
import { answerOnStream, endRequest } from "./own-answer-on-stream.ts";
import type { StreamClient } from "./stream-client.ts";
import { Upload, type UploadOwner } from "./upload.ts";
import type { WebSocketKey } from "./web-socket-key.ts";

/** Both are empty between two events. */
const TO_APP = new Outgoing();
const TO_CLIENT = new Outgoing();

/** One stream: a request and its answer, or a WebSocket. */
export class StreamExchange implements AnswerReceiver, Dispatcher, Expectation, UploadOwner {
  readonly #stream: ServerHttp2Stream;
  readonly #client: StreamClient;
  readonly #relay: RelayOptions;
  readonly #host: string;
  readonly #record: ExchangeRecord;
  readonly isHead: boolean;
  readonly #webSocket: WebSocketKey | undefined;
  readonly #dispatch: Dispatch;
  readonly #upload: Upload;
  readonly #answer: AnswerBody;
  #isTunnel = false;
  /** Octets that came through the tunnel. */
  #tunnelled = 0;
  #isEventStream = false;
  /** Since when the client has taken nothing, and how much waited for it then. */
  #stall = { since: 0, waiting: 0 };
  #outcome: Outcome | undefined;
  #over = false;

  /** @param head valid during the call */
  constructor(
    stream: ServerHttp2Stream,
    head: RequestHead,
    webSocket: WebSocketKey | undefined,
    client: StreamClient,
    relay: RelayOptions,
  ) {
    this.#stream = stream;
    this.#client = client;
    this.#relay = relay;
    this.#webSocket = webSocket;
    this.#record = new ExchangeRecord(client, relay);
    this.#record.begin();
    this.#host = head.authority;
    this.isHead = head.hasMethod("HEAD");
    this.#dispatch = new Dispatch(relay.pool, this);
    this.#dispatch.begin(isRepeatable(head));
    this.#upload = new Upload(stream, head, relay.limits, TO_APP, this);
    this.#answer = new AnswerBody(stream, TO_CLIENT, () => this.#dispatch.upstream?.resume());
    forwardRequestHead(head, client.origin, relay.defaultHost, TO_APP);
    this.#record.sentHead = TO_APP.take();
    // A stream that is reset with NO_ERROR isn't closed before all of it was read.
    if (!stream.endAfterHeaders) stream.once("aborted", () => this.#closed());
    stream.once("close", () => this.#closed());
  }

  get wantsUpgrade(): boolean {
    return this.#webSocket !== undefined;
  }

  get webSocketKey(): string | undefined {
    return this.#webSocket?.text;
  }

  get isTunnel(): boolean {
    return this.#isTunnel;
  }

  /** Whether a drain waits for its end. */
  get isAwaited(): boolean {
    return !this.#isTunnel && !this.#isEventStream;
  }

  /** What is under way, for the log; without the query, which may hold secrets. */
  describe(now: number): string {
    return this.#record.describe(now);
  }

  begin(): void {
    if (this.#upload.isTooLong) return this.refuseBody(this.#upload.tooLong);
    const idle = this.#dispatch.take();
    if (idle === undefined) this.#dispatch.connect();
    else this.connected(idle);
  }

  /** At the end of all. */
  endTunnel(): void {
    this.#dispatch.abort();
    this.#stream.end();
    endRequest(this.#stream);
  }

  /** Called every second. */
  look(now: number): void {
    if (!GRPC.test(this.#record.fieldOf("content-type"))) this.#upload.look(now);
    const waiting = this.#stream.writableLength;
    const { stallTimeout } = this.#relay.limits;
    if (waiting === 0 || waiting !== this.#stall.waiting) this.#stall = { since: now, waiting };
    else if (now - this.#stall.since > stallTimeout) this.cutOff();
  }

  /** Ends it at once: half an answer must not look whole, and `close` would end it before the reset. */
  cutOff(): void {
    this.#letGo();
    this.#stream.destroy(new Error("cut off"));
  }

  refuseBody(refusal: Refusal | "malformed"): void {
    this.#letGo();
    if (this.#record.status !== 0) this.cutOff();
    else if (refusal === "malformed") this.#stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
    else this.#answerInstead(refused(refusal), "refused");
  }

  connected(upstream: Upstream): void {
    this.#dispatch.upstream = upstream;
    upstream.begin(this, this);
    upstream.write(this.#record.sentHead);
    this.#upload.start(upstream);
  }

  away(error: Error): void {
    this.#record.error = messageOf(error);
    this.#answerInstead(APP_AWAY, "app-failed");
  }

  informational(head: ResponseHead): void {
    const { rules } = this.#relay;
    if (!this.#isOpen) return;
    const fields = headerObject(answerFields(head, { host: this.#host, rules }));
    this.#stream.additionalHeaders({ ":status": head.status, ...fields });
  }

  head(head: ResponseHead): void {
    this.#record.appAnswers();
    if (!this.#isOpen) return;
    const problem = this.#problemOf(head);
    if (problem === undefined) this.#respond(head);
    else this.#fail(new Error(problem));
  }

  /** Why an answer of HTTP/1.1 can't be one of HTTP/2. */
  #problemOf(head: ResponseHead): string | undefined {
    if (head.status > 599) return `HTTP/2 knows no status ${head.status} in Node`;
    // For an extended CONNECT any 2xx means that the tunnel is there (RFC 8441 §5).
    if (!this.wantsUpgrade || head.status >= 300 || head.status === 101) return undefined;
    return "it answers a WebSocket's handshake as a request";
  }

  #respond(head: ResponseHead): void {
    const { rules } = this.#relay;
    const fields = answerFields(head, { host: this.#host, rules });
    this.#isTunnel = head.status === 101;
    // RFC 8441 §5: it isn't used, but by who sent a key.
    if (this.#isTunnel && this.#webSocket?.isClients !== true) remove(fields, "sec-websocket-accept");
    this.#record.status = this.#isTunnel ? 200 : head.status;
    // RFC 9110 §15.3.6: 205 has no body; Node would take none.
    const hasBody = this.#isTunnel || (head.framing !== "none" && head.status !== 205);
    fields.unshift(":status", `${this.#record.status}`);
    this.#answer.begin(fields, hasBody, head.framing === "chunked");
    if (this.#isTunnel) this.#tunnel();
    else this.#isEventStream = isEventStream(head, this.#record.sentHead);
    if (!this.isAwaited) this.#client.settled();
  }

  #tunnel(): void {
    const stream = this.#stream;
    stream
      .on("data", (bytes: Buffer) => {
        this.#tunnelled += bytes.length;
        if (this.#dispatch.upstream?.write(bytes) === false) stream.pause();
      })
      .once("end", () => this.#dispatch.upstream?.end());
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#dispatch.upstream !== undefined) this.#answer.data(bytes, start, end);
  }

  trailers(fields: Fields): void {
    this.#answer.trailers(fields);
  }

  flush(complete: boolean): boolean {
    if (this.#isOpen && this.#record.status !== 0) return this.#answer.flush(complete);
    TO_CLIENT.discard();
    return true;
  }

  ended(): void {
    this.#dispatch.end();
    this.#upload.stop();
    endRequest(this.#stream);
  }

  writable(): void {
    this.#stream.resume();
  }

  failed({ kind, error }: UpstreamFailure): void {
    TO_CLIENT.discard();
    if (this.#dispatch.repeat(kind)) return;
    if (kind === "away") return this.away(error);
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#letGo();
    this.#relay.observer.failed(error);
    this.#record.error = messageOf(error);
    if (this.#record.status === 0) return this.#answerInstead(APP_FAILED, "app-failed");
    this.#outcome = "app-failed";
    this.cutOff();
  }

  #answerInstead(own: OwnAnswer, outcome: Outcome): void {
    if (!this.#isOpen) return;
    this.#upload.stop();
    this.#record.status = own.status;
    this.#outcome = outcome;
    const accept = this.#record.fieldOf("accept");
    answerOnStream(this.#stream, own, { accept, isHead: this.isHead, rules: this.#relay.rules });
  }

  get #isOpen(): boolean {
    return !this.#over && !this.#stream.closed && !this.#stream.destroyed;
  }

  #letGo(): void {
    this.#dispatch.abort();
    this.#upload.stop();
  }

  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    const isWhole = this.#answer.ended && this.#stream.rstCode === constants.NGHTTP2_NO_ERROR;
    const isBroken = this.#outcome === undefined && !isWhole;
    const isTunnel = this.#isTunnel;
    this.#letGo();
    this.#record.bytesSent = this.#answer.length;
    const received = this.#upload.length + this.#tunnelled;
    this.#record.over(this.#outcome ?? (isBroken ? "client-gone" : "complete"), received);
    this.#client.ended(this, isBroken && !isTunnel);
  }
}

/** A call may be silent for as long as its two ends like: they have deadlines and pings of their own. */
const GRPC = /^application\/grpc(?:[+;]|$)/i;

function remove(list: string[], name: string): void {
  const index = list.indexOf(name);
  if (index >= 0) list.splice(index, 2);
}
