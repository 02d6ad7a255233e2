// Hot path: nothing is done for a stream that its request doesn't need.
import { type OutgoingHttpHeaders, type ServerHttp2Stream, constants } from "node:http2";
import { messageOf } from "@pillion/kit";
import type { Outcome } from "../access-log/access-entry.ts";
import { APP_AWAY, APP_FAILED, type OwnAnswer } from "../answers/own-answer.ts";
import { mayTrail } from "../http1/chunks.ts";
import type { Fields } from "../http1/fields.ts";
import { forwardRequestHead } from "../http1/forward-request.ts";
import { answerFields } from "../http1/forward-response.ts";
import { Outgoing } from "../http1/outgoing.ts";
import type { Refusal } from "../http1/refusal.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { isEventStream } from "../relay/event-stream.ts";
import { ExchangeRecord } from "../relay/exchange-record.ts";
import { isIdempotent } from "../relay/methods.ts";
import type { RelayOptions } from "../relay/relay-options.ts";
import { COPIED_AT_MOST } from "../relay/request-body.ts";
import type { AnswerReceiver, UpstreamFailure } from "../upstream/answer-receiver.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { answerOnStream, endRequest } from "./own-answer-on-stream.ts";
import type { StreamClient } from "./stream-client.ts";
import { Upload, type UploadOwner } from "./upload.ts";
import type { WebSocketKey } from "./web-socket-key.ts";

/** Both are empty between two events. */
const TO_APP = new Outgoing();
const TO_CLIENT = new Outgoing();

/** One stream: a request and its answer, or a WebSocket. */
export class StreamExchange implements AnswerReceiver, UploadOwner {
  readonly #stream: ServerHttp2Stream;
  readonly #client: StreamClient;
  readonly #relay: RelayOptions;
  readonly #host: string;
  readonly #record: ExchangeRecord;
  readonly #isHead: boolean;
  #isRepeatable: boolean;
  readonly #webSocket: WebSocketKey | undefined;
  readonly #upload: Upload;
  #upstream: Upstream | undefined;
  #withdraw: (() => void) | undefined;
  #isTunnel = false;
  #isEventStream = false;
  /** No more of a body goes with this answer. */
  #answerEnded = false;
  #trailers: OutgoingHttpHeaders = {};
  /** What the client hasn't taken yet of what is written without a copy. */
  #uncopied = 0;
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
    this.#isHead = head.hasMethod("HEAD");
    this.#isRepeatable = head.framing === "none" && webSocket === undefined && isIdempotent(head);
    this.#upload = new Upload(stream, head, relay.limits, TO_APP, this);
    forwardRequestHead(head, client.origin, relay.defaultHost, TO_APP);
    this.#record.sentHead = TO_APP.take();
    // A stream that is reset with NO_ERROR isn't closed before all of it was read.
    if (!stream.endAfterHeaders) stream.once("aborted", () => this.#closed());
    stream.once("close", () => this.#closed());
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
    const idle = this.#relay.pool.take();
    if (idle === undefined) this.#connect();
    else this.#send(idle);
  }

  /** At the end of all. */
  endTunnel(): void {
    this.#upstream?.abort();
    this.#upstream = undefined;
    this.#stream.end();
    endRequest(this.#stream);
  }

  /** Called every second. */
  look(now: number): void {
    this.#upload.look(now);
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

  #connect(): void {
    this.#withdraw = this.#relay.pool.connect(
      (connection) => {
        this.#withdraw = undefined;
        this.#send(connection);
      },
      (error) => {
        this.#withdraw = undefined;
        this.#record.error = messageOf(error);
        this.#answerInstead(APP_AWAY, "app-failed");
      },
    );
  }

  #send(upstream: Upstream): void {
    this.#upstream = upstream;
    const wantsUpgrade = this.#webSocket !== undefined;
    upstream.begin(this, { isHead: this.#isHead, wantsUpgrade, webSocketKey: this.#webSocket?.text });
    upstream.write(this.#record.sentHead);
    this.#upload.start(upstream);
  }

  informational(head: ResponseHead): void {
    const { rules } = this.#relay;
    if (!this.#isOpen) return;
    const fields = headersOf(answerFields(head, { host: this.#host, rules }));
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
    if (this.#webSocket === undefined || head.status >= 300 || head.status === 101) return undefined;
    return "it answers a WebSocket's handshake as a request";
  }

  #respond(head: ResponseHead): void {
    const { rules } = this.#relay;
    const fields = answerFields(head, { host: this.#host, rules });
    this.#isTunnel = head.status === 101;
    if (this.#isTunnel) remove(fields, "sec-websocket-accept"); // RFC 8441 §5: it isn't used
    this.#record.status = this.#isTunnel ? 200 : head.status;
    // RFC 9110 §15.3.6: 205 has no body; Node would take none.
    this.#answerEnded = !this.#isTunnel && (head.framing === "none" || head.status === 205);
    const waitForTrailers = !this.#answerEnded && head.framing === "chunked";
    if (waitForTrailers) this.#stream.once("wantTrailers", () => this.#stream.sendTrailers(this.#trailers));
    fields.unshift(":status", `${this.#record.status}`);
    this.#stream.respond(fields, { endStream: this.#answerEnded, waitForTrailers });
    if (this.#isTunnel) this.#tunnel();
    else this.#isEventStream = isEventStream(head, this.#record.sentHead);
    if (!this.isAwaited) this.#client.settled();
  }

  #tunnel(): void {
    const stream = this.#stream;
    stream
      .on("data", (bytes: Buffer) => {
        if (this.#upstream?.write(bytes) === false) stream.pause();
      })
      .once("end", () => this.#upstream?.end());
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#answerEnded || this.#upstream === undefined) return;
    this.#record.bytesSent += end - start;
    if (end - start <= COPIED_AT_MOST) return TO_CLIENT.copy(bytes, start, end);
    if (TO_CLIENT.length > 0) this.#stream.write(TO_CLIENT.take());
    // The app's connection reads into the same bytes again: not before these went out.
    this.#uncopied++;
    this.#stream.write(bytes.subarray(start, end), () => {
      if (--this.#uncopied === 0) this.#upstream?.resume();
    });
  }

  trailers(fields: Fields): void {
    for (let index = 0; index < fields.count; index++)
      if (mayTrail(fields.kind[index] ?? 0)) add(this.#trailers, fields.name(index), fields.value(index));
  }

  flush(complete: boolean): boolean {
    const bytes = TO_CLIENT.length > 0 ? TO_CLIENT.take() : undefined;
    if (!this.#isOpen || this.#record.status === 0) return true;
    if (complete) {
      if (!this.#answerEnded) this.#stream.end(bytes);
      this.#answerEnded = true;
      return this.#uncopied === 0;
    }
    const flows = bytes === undefined || this.#stream.write(bytes);
    if (this.#uncopied > 0) return false;
    if (flows) return true;
    this.#stream.once("drain", () => this.#upstream?.resume());
    return false;
  }

  ended(): void {
    this.#upstream = undefined;
    this.#upload.stop();
    endRequest(this.#stream);
  }

  writable(): void {
    this.#stream.resume();
  }

  failed({ kind, error }: UpstreamFailure): void {
    TO_CLIENT.discard();
    this.#upstream = undefined;
    if (kind === "away") return this.#answerInstead(APP_AWAY, "app-failed");
    if (kind === "stale" && this.#isRepeatable) return this.#connect();
    if (kind === "unread" && this.#isRepeatable) {
      this.#isRepeatable = false; // an app that resets them all isn't asked for ever
      return this.#connect();
    }
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
    answerOnStream(this.#stream, own, { accept, isHead: this.#isHead, rules: this.#relay.rules });
  }

  get #isOpen(): boolean {
    return !this.#over && !this.#stream.closed && !this.#stream.destroyed;
  }

  #letGo(): void {
    this.#withdraw?.();
    this.#upstream?.abort();
    this.#upload.stop();
    this.#upstream = this.#withdraw = undefined;
  }

  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    const isWhole = this.#answerEnded && this.#stream.rstCode === constants.NGHTTP2_NO_ERROR;
    const isBroken = this.#outcome === undefined && !isWhole;
    const isTunnel = this.#isTunnel;
    this.#letGo();
    this.#record.over(this.#outcome ?? (isBroken ? "client-gone" : "complete"), this.#upload.length);
    this.#client.ended(this, isBroken && !isTunnel);
  }
}

/** The page for a request that is refused. */
export function refused({ status, reason }: Refusal): OwnAnswer {
  return { status, explanation: `The request was refused: ${reason}.` };
}

/** As an object, which is what Node wants of all but an answer's head. @param list names and values in turn */
function headersOf(list: readonly string[]): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (let index = 0; index < list.length; index += 2) add(headers, list[index] ?? "", list[index + 1] ?? "");
  return headers;
}

function remove(list: string[], name: string): void {
  const index = list.indexOf(name);
  if (index >= 0) list.splice(index, 2);
}

function add(headers: OutgoingHttpHeaders, name: string, value: string): void {
  const before = headers[name];
  headers[name] = before === undefined ? value : [...[before].flat().map(String), value];
}
