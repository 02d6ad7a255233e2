import { type ServerHttp2Session, type ServerHttp2Stream, constants, performServerHandshake } from "node:http2";
import type { TLSSocket } from "node:tls";
import { refusedEntry } from "../access-log/access-entry.ts";
import type { Arrival } from "../front/arrivals.ts";
import { Origin } from "../http1/origin.ts";
import { LINGER } from "../front/linger.ts";
import { HEAD_TOO_LONG, MAX_HEAD, type Refusal } from "../http1/refusal.ts";
import { RequestHead, parseRequestHead } from "../http1/request-head.ts";
import type { RelayOptions } from "../relay/relay-options.ts";
import { StreamExchange } from "./exchange.ts";
import { refused } from "../answers/own-answer.ts";
import { answerOnStream } from "./own-answer-on-stream.ts";
import { requestText } from "./request-text.ts";
import { ResetBudget } from "./reset-budget.ts";
import { SESSION_OPTIONS, SESSION_WINDOW } from "./session-options.ts";
import type { StreamClient } from "./stream-client.ts";
import { WebSocketKey } from "./web-socket-key.ts";

/** What sessions tell their handler. */
export interface SessionOwner {
  /** Nothing is under way any more that a drain waits for. */
  settled(): void;
  closed(session: ClientSession): void;
}

/** Used while one request's head is looked at. */
const HEAD = new RequestHead();

/** One client's HTTP/2 connection: its streams, its time-outs, and what it may do to others. */
export class ClientSession implements StreamClient {
  readonly socket: TLSSocket;
  readonly origin: Origin;
  readonly arrival: Arrival;
  readonly #relay: RelayOptions;
  readonly #owner: SessionOwner;
  readonly #session: ServerHttp2Session;
  readonly #exchanges = new Set<StreamExchange>();
  readonly #resets = new ResetBudget();
  #requests = 0;
  /** It was told to come no more. */
  #leaving = false;
  #idleSince = performance.now();

  constructor(socket: TLSSocket, arrival: Arrival, relay: RelayOptions, owner: SessionOwner) {
    this.socket = socket;
    this.arrival = arrival;
    this.origin = new Origin(arrival);
    this.#relay = relay;
    this.#owner = owner;
    this.#session = performServerHandshake(socket, SESSION_OPTIONS);
    this.#session
      .on("stream", (stream, _fields, _flags, raw) => this.#begin(stream, raw))
      .on("error", ignore) // 'close' follows
      .once("close", () => owner.closed(this));
    this.#session.setLocalWindowSize(SESSION_WINDOW);
  }

  get hasTunnel(): boolean {
    for (const exchange of this.#exchanges) if (exchange.isTunnel) return true;
    return false;
  }

  get isBusy(): boolean {
    for (const exchange of this.#exchanges) if (exchange.isAwaited) return true;
    return false;
  }

  /** What a drain waits for, a line each, for the log. */
  describe(now: number): string[] {
    return [...this.#exchanges].filter(({ isAwaited }) => isAwaited).map((exchange) => exchange.describe(now));
  }

  /** Says goodbye: streams that were begun go on, and no new ones come (RFC 9113 §6.8). */
  drain(): void {
    if (this.#session.destroyed || this.#leaving) return;
    this.#leaving = true;
    if (this.#exchanges.size === 0) this.#session.close();
    // Node would end a session that is closed with its last stream, and keep that one's reset to itself.
    else this.#session.goaway(constants.NGHTTP2_NO_ERROR);
  }

  /** At the end of all. */
  end(): void {
    for (const exchange of this.#exchanges) {
      if (exchange.isTunnel) exchange.endTunnel();
      else exchange.cutOff();
    }
  }

  settled(): void {
    this.#owner.settled();
  }

  ended(exchange: StreamExchange, isBroken: boolean): void {
    this.#exchanges.delete(exchange);
    if (this.#exchanges.size === 0) this.#settle();
    if (isBroken) this.#spendReset();
    this.#owner.settled();
  }

  /** Called every second. */
  look(now: number): void {
    const { headTimeout, keepAliveTimeout } = this.#relay.limits;
    for (const exchange of this.#exchanges) exchange.look(now);
    if (this.#exchanges.size > 0) return;
    const age = now - this.#idleSince;
    // It said goodbye, or was sent away, and doesn't hang up.
    if (this.#session.closed || this.#session.destroyed) {
      if (age > LINGER) this.socket.destroy();
    } else if (age > (this.#requests === 0 ? headTimeout : keepAliveTimeout)) {
      this.#idleSince = now;
      this.drain();
    }
  }

  #begin(stream: ServerHttp2Stream, raw: readonly string[]): void {
    stream.on("error", ignore); // 'close' follows
    this.#requests++;
    // Opened and reset in one breath.
    if (stream.closed || stream.destroyed) return this.#spendReset();
    const request = requestText(raw, !stream.endAfterHeaders);
    if ("status" in request) return this.#refuse(stream, request, raw);
    const webSocket = request.isWebSocket ? new WebSocketKey(request.webSocketKey) : undefined;
    const bytes = Buffer.from(request.text + (webSocket?.lines ?? ""), "latin1");
    const refusal = parseRequestHead(HEAD, bytes, 0, bytes.length) ?? this.#judge(stream, bytes);
    if (refusal !== undefined) return this.#refuse(stream, refusal, raw, refusal.status === 403 ? bytes : undefined);
    const exchange = new StreamExchange(stream, HEAD, webSocket, this, this.#relay);
    this.#exchanges.add(exchange);
    exchange.begin();
    const { maxRequests } = this.#relay.limits;
    if (maxRequests > 0 && this.#requests >= maxRequests) this.drain();
  }

  #judge(stream: ServerHttp2Stream, bytes: Buffer): Refusal | undefined {
    if (HEAD.end !== bytes.length) return { status: 400, reason: "the head holds an empty line" };
    if (bytes.length > MAX_HEAD) return HEAD_TOO_LONG;
    if (HEAD.framing === "length" && stream.endAfterHeaders) return { status: 400, reason: "its body is missing" };
    return this.arrival.refusal === undefined ? undefined : { status: 403, reason: this.arrival.refusal };
  }

  /** @param head the request's in HTTP/1.1, if it was well-formed */
  #refuse(stream: ServerHttp2Stream, refusal: Refusal, raw: readonly string[], head?: Buffer): void {
    const isHead = raw[raw.indexOf(":method") + 1] === "HEAD";
    answerOnStream(stream, refused(refusal), { accept: "", isHead, rules: this.#relay.rules });
    this.#relay.observer.answered(refusal.status, 0);
    this.#relay.access?.write(refusedEntry(this, refusal.status, head));
  }

  #settle(): void {
    this.#idleSince = performance.now();
    if (this.#leaving) setImmediate(() => this.#session.close());
  }

  #spendReset(): void {
    if (!this.#resets.spend() && !this.#session.destroyed)
      this.#session.destroy(new Error("too many resets"), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

const ignore = () => {};
