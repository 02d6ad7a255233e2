// Hot path: one object a connection, used for one exchange after the other.
import { messageOf } from "@pillion/kit";
import type { Fields } from "../http1/fields.ts";
import { forwardRepeated } from "../http1/forward-request.ts";
import { type AnswerConnection, forwardResponseHead } from "../http1/forward-response.ts";
import { Outgoing } from "../http1/outgoing.ts";
import type { RepeatedFields } from "../http1/repeated-fields.ts";
import { type Refusal, bodyTooLong } from "../http1/refusal.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { AnswerRules } from "../answers/answer-rules.ts";
import { APP_AWAY, APP_FAILED, type OwnAnswer, answerText } from "../answers/own-answer.ts";
import type { AnswerReceiver, UpstreamFailure } from "../upstream/answer-receiver.ts";
import { Dispatch, type Dispatcher } from "../upstream/dispatch.ts";
import type { Expectation, Upstream } from "../upstream/upstream.ts";
import type { Outcome } from "../access-log/access-entry.ts";
import { AnswerBody } from "./answer-body.ts";
import type { RelayOptions } from "./relay-options.ts";
import { RequestBody } from "./request-body.ts";
import { isEventStream } from "./event-stream.ts";
import type { ExchangeClient } from "./exchange-client.ts";
import { ExchangeRecord } from "./exchange-record.ts";
import { isRepeatable } from "./repeatable.ts";

/** Heads and small bodies are put together here; both are empty between two events. */
const TO_APP = new Outgoing();
const TO_CLIENT = new Outgoing();

/** One request and its answer: carries both bodies, and keeps either side from running ahead of the other. */
export class Exchange implements AnswerReceiver, AnswerConnection, Dispatcher, Expectation {
  readonly #client: ExchangeClient;
  readonly #relay: RelayOptions;
  readonly #before: RepeatedFields;
  readonly #record: ExchangeRecord;
  readonly #dispatch: Dispatch;
  readonly #body = new RequestBody(TO_APP);
  readonly #answer: AnswerBody;
  isHead = false;
  wantsUpgrade = false;
  #isTunnel = false;
  #isEventStream = false;
  /** The answer is complete, and the rest of the request's body goes nowhere. */
  #discards = false;
  #keepAlive = true;
  /** The client itself said that it sends nothing more, and had no body, behind which old clients send a line end (RFC 9112 §2.2). */
  #isLast = false;
  #endsByClose = false;

  /** @param before the fields of the connection's last request */
  constructor(client: ExchangeClient, relay: RelayOptions, before: RepeatedFields) {
    this.#client = client;
    this.#relay = relay;
    this.#before = before;
    this.#record = new ExchangeRecord(client, relay);
    this.#dispatch = new Dispatch(relay.pool, this);
    this.#answer = new AnswerBody(client.socket, TO_CLIENT, relay.limits.stallTimeout, () =>
      this.#dispatch.upstream?.resume(),
    );
  }

  get isTunnel(): boolean {
    return this.#isTunnel;
  }

  /** Whether the answer is a stream of events. */
  get isEventStream(): boolean {
    return this.#isEventStream;
  }

  /** Whether more of the request's body is wanted: the app was found, or has answered already. */
  get wantsBody(): boolean {
    return (this.#dispatch.upstream !== undefined || this.#discards) && !this.#body.ended;
  }

  /** Whether the rest of the body is the client's to send now, and doesn't wait for a word of the app. */
  get awaitsBody(): boolean {
    return this.wantsBody && !this.#body.isHeldBack;
  }

  /** Whether the client takes the connection's end for the answer's. */
  get endsByClose(): boolean {
    return this.#endsByClose;
  }

  get hasAnswer(): boolean {
    return this.#record.status !== 0;
  }

  get chunked(): boolean {
    return this.#answer.chunked;
  }

  get close(): boolean {
    return !this.#keepAlive;
  }

  get rules(): AnswerRules {
    return this.#relay.rules;
  }

  /** What the request was for. */
  get host(): string {
    return this.#record.fieldOf("host");
  }

  get webSocketKey(): string {
    return this.#record.fieldOf("sec-websocket-key");
  }

  /** Octets of the request's body that have come. */
  get bodyLength(): number {
    return this.#body.length;
  }

  /** What is under way, for the log. */
  describe(now: number): string {
    return this.#record.describe(now);
  }

  /**
   * Starts an exchange.
   * @param rest what came behind the head
   * @returns what of it isn't used: because it belongs to the next request, or because the app has to be found first
   */
  begin(head: RequestHead, rest: Buffer): Buffer {
    this.#record.begin();
    this.isHead = head.hasMethod("HEAD");
    this.#record.isHttp10 = head.minorVersion === 0;
    this.wantsUpgrade = head.upgradeField >= 0;
    const closes = head.close || this.#record.isHttp10;
    // Behind a wish to switch protocols may stand what isn't HTTP: if the app doesn't switch, nobody shall read it as such.
    this.#keepAlive = !closes && !this.wantsUpgrade;
    this.#isTunnel = this.#isEventStream = this.#endsByClose = this.#discards = false;
    this.#dispatch.begin(isRepeatable(head));
    this.#body.begin(head);
    this.#isLast = closes && !this.wantsUpgrade && this.#body.ended;
    this.#answer.begin();
    forwardRepeated(head, this.#before, this.#client.origin, this.#relay.defaultHost, TO_APP);
    const idle = this.#dispatch.take();
    if (idle !== undefined && rest.length > 0) {
      // The head and what came with it, in one write.
      this.#record.sentHead = TO_APP.peek();
      this.#begin(idle);
      return this.read(rest);
    }
    this.#record.sentHead = TO_APP.take();
    if (idle === undefined) this.#dispatch.connect();
    else this.#send(idle);
    return rest;
  }

  /**
   * More of the request's body, or of a tunnel.
   * @returns what doesn't belong to it
   */
  read(bytes: Buffer): Buffer {
    const { upstream } = this.#dispatch;
    if (this.#isTunnel) {
      this.#body.length += bytes.length;
      if (upstream?.write(bytes) === false) this.#client.socket.pause();
      return EMPTY;
    }
    const used = this.#body.read(bytes, upstream ?? NOWHERE);
    const { maxBody } = this.#relay.limits;
    if (typeof used === "string") return this.#refuseBody({ status: 400, reason: used });
    if (maxBody > 0 && this.#body.length > maxBody) return this.#refuseBody(bodyTooLong(maxBody));
    if (upstream === undefined) this.#discard();
    else {
      let flows = this.#body.flows;
      if (TO_APP.length > 0) flows = upstream.write(TO_APP.take());
      if (this.#body.ended) upstream.requestEnded();
      if (!flows) this.#client.socket.pause();
    }
    return used === bytes.length ? EMPTY : bytes.subarray(used);
  }

  #refuseBody(refusal: Refusal): Buffer {
    TO_APP.discard();
    this.#client.refuseBody(refusal);
    return EMPTY;
  }

  #discard(): void {
    TO_APP.discard();
    if (this.#body.length > DISCARDED_AT_MOST) this.#client.socket.destroy();
    else if (this.#body.ended) this.#client.exchangeEnded(true);
  }

  /**
   * The client has gone, or is sent away: so does the app's work.
   * @param status what it counts as, unless an answer had begun
   */
  abort(outcome: Outcome = "client-gone", status?: number): void {
    this.#dispatch.abort();
    this.#over(outcome, status);
  }

  /** The client of a tunnel has said all. */
  endTunnel(): void {
    this.#dispatch.upstream?.end();
  }

  /** The client takes more again. */
  drained(): void {
    this.#answer.drained();
  }

  connected(upstream: Upstream): void {
    this.#send(upstream);
    this.#client.appFound();
  }

  away(error: Error): void {
    this.#record.error = messageOf(error);
    this.#answerInstead(APP_AWAY);
  }

  #begin(upstream: Upstream): void {
    this.#dispatch.upstream = upstream;
    upstream.begin(this, this);
    if (this.#body.ended) upstream.requestEnded();
  }

  #send(upstream: Upstream): void {
    this.#begin(upstream);
    upstream.write(this.#record.sentHead);
  }

  informational(head: ResponseHead): void {
    if (head.status === 100) this.#body.continued();
    if (this.#record.isHttp10) return;
    forwardResponseHead(head, this, TO_CLIENT);
  }

  head(head: ResponseHead): void {
    const { framing } = head;
    this.#record.appAnswers();
    this.#record.status = head.status;
    this.#isTunnel = head.status === 101;
    if (this.#client.closes || this.#body.mayStayAway) this.#keepAlive = false;
    const hasLength = framing !== "chunked" && framing !== "close";
    this.#answer.chunked = !this.#record.isHttp10 && !hasLength;
    this.#endsByClose = this.#record.isHttp10 && !hasLength;
    forwardResponseHead(head, this, TO_CLIENT);
    if (this.#isTunnel) return this.#client.tunnelBegins();
    if (hasLength) return;
    this.#isEventStream = isEventStream(head, this.#record.sentHead);
    if (this.#isEventStream) this.#client.eventStreamBegins();
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.#answer.data(bytes, start, end);
  }

  trailers(fields: Fields): void {
    this.#answer.trailers(fields);
  }

  flush(complete: boolean): boolean {
    return this.#answer.flush(complete);
  }

  ended(): void {
    this.#over("complete");
    this.#next(this.#keepAlive);
  }

  writable(): void {
    this.#client.socket.resume();
  }

  failed({ kind, error, headIsNew = false }: UpstreamFailure): void {
    // A 100 may be among what nobody hears of now: the client may send its body or not, as it likes.
    if (TO_CLIENT.length > 0) this.#keepAlive = false;
    TO_CLIENT.discard();
    if (this.#dispatch.repeat(kind)) return;
    if (kind === "away") return this.away(error);
    this.#record.error = messageOf(error);
    this.#relay.observer.failed(error);
    if (this.#record.status === 0 || (headIsNew && !this.#answer.isGoingOut)) return this.#answerInstead(APP_FAILED);
    this.#over("app-failed");
    this.#client.breakOff();
  }

  /** No octet of the app's answer went out. */
  #answerInstead(own: OwnAnswer): void {
    this.#record.status = own.status;
    this.#answer.length = 0;
    this.#endsByClose = false;
    const close = this.#client.closes || !this.#keepAlive || this.#body.mayStayAway;
    const accept = this.#record.fieldOf("accept");
    this.#client.socket.write(answerText(own, accept, this.#relay.rules, { head: this.isHead, close }), "latin1");
    this.#over("app-failed");
    this.#next(!close);
  }

  /** What is left of a request that was answered early is read first, or it would be taken for the next one. */
  #next(persists: boolean): void {
    this.#discards = persists && !this.#body.ended;
    if (this.#discards) this.#client.appFound();
    else this.#client.exchangeEnded(persists, this.#isLast);
  }

  #over(outcome: Outcome, unanswered?: number): void {
    this.#dispatch.end();
    this.#record.bytesSent = this.#answer.length;
    this.#record.over(outcome, this.#body.length, unanswered);
  }
}

const EMPTY = Buffer.alloc(0);
const NOWHERE = { write: () => true };
/** Of the body of a request that was answered already, bytes. */
const DISCARDED_AT_MOST = 256 * 1024 * 1024;
