// Hot path: one listener for data, nothing allocated for a request but the slices that are written.
import type { TLSSocket } from "node:tls";
import type { Arrival } from "../front/arrivals.ts";
import { LINGER } from "../front/linger.ts";
import { Origin } from "../http1/origin.ts";
import { type Refusal, bodyTooLong } from "../http1/refusal.ts";
import { RepeatedFields } from "../http1/repeated-fields.ts";
import { RequestHead } from "../http1/request-head.ts";
import { answerText, refused } from "../answers/own-answer.ts";
import { BodyPace } from "./body-pace.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeClient } from "./exchange-client.ts";
import { refusedEntry } from "../access-log/access-entry.ts";
import type { RelayOptions } from "./relay-options.ts";
import { readDirectly } from "./read-directly.ts";
import { RequestReader } from "./request-reader.ts";

/** What a relay's connections tell their relay. */
export interface ConnectionOwner {
  readonly draining: boolean;
  /** Milliseconds on the clock of `performance.now`, as of the last time it was looked at: seconds matter here. */
  readonly now: number;
  /** A connection has nothing under way any more that a drain waits for. */
  settled(): void;
  closed(connection: ClientConnection): void;
}

type State =
  /** Waits for a request, or for the rest of its head. */
  | "waiting"
  | "exchanging"
  | "tunnel"
  /** The last answer was sent; what still comes is thrown away, or the answer might be lost (RFC 9112 §9.6). */
  | "lingering";

/** What leaves at once, before any of it is acknowledged, octets: less than ten segments (RFC 6928). */
const FIRST_FLIGHT = 8 * 1024;

/** Used while one request's head is looked at. */
const HEAD = new RequestHead();

/** One client's HTTP/1.1 connection: its requests one after the other, and its time-outs. */
export class ClientConnection implements ExchangeClient {
  readonly socket: TLSSocket;
  readonly origin: Origin;
  readonly arrival: Arrival;
  readonly #owner: ConnectionOwner;
  readonly #relay: RelayOptions;
  readonly #before = new RepeatedFields();
  readonly #reader = new RequestReader(this.#before);
  readonly #exchange: Exchange;
  #state: State = "waiting";
  #requests = 0;
  /** Since when it has been what it is: waiting, reading a head, lingering. */
  #since: number;
  readonly #pace: BodyPace;
  /** What came while an exchange was under way: pipelined requests. */
  #backlog: Buffer | undefined;

  constructor(socket: TLSSocket, arrival: Arrival, relay: RelayOptions, owner: ConnectionOwner) {
    this.socket = socket;
    this.arrival = arrival;
    this.origin = new Origin(arrival);
    this.#relay = relay;
    this.#owner = owner;
    this.#since = owner.now;
    this.#exchange = new Exchange(this, relay, this.#before);
    this.#pace = new BodyPace(relay.limits);
    socket.allowHalfOpen = true; // a tunnel's client may have said all and still listen
    const read = (bytes: Buffer) => this.#read(bytes);
    readDirectly(socket, read, () => this.#clientSaidAll());
    socket
      .on("drain", () => this.#drained())
      .on("timeout", () => socket.destroy()) // it takes nothing of what is sent to it
      .once("end", () => this.#clientEnded())
      .on("error", () => {}) // 'close' follows
      .once("close", () => this.#closed());
  }

  get isTunnel(): boolean {
    return this.#state === "tunnel";
  }

  /** Whether something is under way that a drain waits for. */
  get isBusy(): boolean {
    return this.#state === "exchanging" && !this.#exchange.isEventStream;
  }

  get closes(): boolean {
    const { maxRequests } = this.#relay.limits;
    return this.#owner.draining || (maxRequests > 0 && this.#requests >= maxRequests);
  }

  /** What is under way, for the log. */
  describe(now: number): string {
    return this.#exchange.describe(now);
  }

  /** Ends the connection unless a request is under way: that ends it then. */
  drain(): void {
    if (this.#state === "waiting" && !this.#reader.isReading) this.#linger();
  }

  /** At the end of all: a goodbye in the middle of an answer would make it look whole. */
  end(): void {
    if (this.#state === "exchanging") this.breakOff();
    else if (this.#state !== "lingering") this.#linger();
  }

  /** An HTTP/1.0 client tells a whole answer without a length from half of one by a reset only (RFC 9112 §8). */
  breakOff(): void {
    if (this.#exchange.endsByClose) this.arrival.reset();
    else this.socket.destroy();
  }

  appFound(): void {
    this.socket.resume();
    this.#readBacklog();
  }

  tunnelBegins(): void {
    this.#state = "tunnel";
    this.#owner.settled();
    this.#readBacklog();
  }

  eventStreamBegins(): void {
    this.#owner.settled();
  }

  exchangeEnded(persists: boolean, isLast = false): void {
    // All is on its way, and nothing comes whose reset could overtake it.
    if (!persists && isLast && this.#backlog === undefined && this.socket.bytesWritten <= FIRST_FLIGHT)
      return this.#leave(() => this.socket.destroySoon());
    // What came before we said that we close is still answered.
    if (!persists || (this.closes && this.#backlog === undefined)) return this.#linger();
    this.#state = "waiting";
    this.#since = this.#owner.now;
    // It may have been stopped for an app that has answered since, and takes the rest of the body later or never.
    if (this.socket.isPaused()) this.socket.resume();
    this.#readBacklog();
  }

  refuseBody(refusal: Refusal): void {
    const answered = this.#exchange.hasAnswer;
    this.#exchange.abort("refused", refusal.status);
    if (answered) this.breakOff();
    else this.#answerRefusal(refusal);
  }

  /** Called every second. */
  look(now: number): void {
    const { headTimeout, keepAliveTimeout } = this.#relay.limits;
    const age = now - this.#since;
    this.#lookForClient();
    if (this.#state === "lingering") this.#lookAtGoodbye(now, age);
    else if (this.#state === "exchanging") this.#lookAtBody(now);
    else if (this.#state !== "waiting") return;
    else if (this.#reader.isReading) {
      if (age > headTimeout) this.#refuse({ status: 408, reason: "the request's head took too long" });
    } else if (age > (this.#requests === 0 ? headTimeout : keepAliveTimeout)) this.#linger();
  }

  #read(bytes: Buffer): void {
    switch (this.#state) {
      case "waiting":
        return this.#readHead(bytes);
      case "exchanging":
        return this.#exchange.wantsBody ? this.#readBody(bytes) : this.#keepForLater(bytes);
      case "tunnel":
        this.#exchange.read(bytes);
        return;
      case "lingering":
    }
  }

  #readBody(bytes: Buffer): void {
    const left = this.#exchange.read(bytes);
    if (left.length > 0) this.#read(left);
  }

  #readHead(bytes: Buffer): void {
    const wasReading = this.#reader.isReading;
    const rest = this.#reader.read(HEAD, bytes);
    if (rest === undefined) {
      if (!wasReading) this.#since = this.#owner.now;
      return;
    }
    if ("status" in rest) return this.#refuse(rest);
    if (this.arrival.refusal !== undefined) return this.#refuse({ status: 403, reason: this.arrival.refusal }, HEAD);
    if (HEAD.upgradeField >= 0 && !isWebSocket(HEAD)) HEAD.upgradeField = -1;
    const { maxBody } = this.#relay.limits;
    if (maxBody > 0 && HEAD.contentLength > maxBody) return this.#refuse(bodyTooLong(maxBody), HEAD);
    this.#requests++;
    this.#state = "exchanging";
    this.#pace.begin(this.#owner.now);
    this.#keepForLater(this.#exchange.begin(HEAD, rest));
  }

  #keepForLater(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#backlog = this.#backlog === undefined ? bytes : Buffer.concat([this.#backlog, bytes]);
    this.socket.pause();
  }

  #readBacklog(): void {
    const backlog = this.#backlog;
    if (backlog === undefined) return;
    this.#backlog = undefined;
    this.socket.resume();
    this.#read(backlog);
  }

  /** @param head the request's, if it was well-formed */
  #refuse(refusal: Refusal, head?: RequestHead): void {
    this.#relay.observer.answered(refusal.status, 0);
    this.#relay.access?.write(refusedEntry(this, refusal.status, head?.bytes.subarray(head.start, head.end)));
    this.#answerRefusal(refusal);
  }

  #answerRefusal(refusal: Refusal): void {
    this.socket.write(answerText(refused(refusal), "", this.#relay.rules), "latin1");
    this.#linger();
  }

  /** Says goodbye, and takes what the client still sends until it has heard it. */
  #linger(): void {
    if (this.#state === "tunnel") this.#exchange.abort();
    this.#leave(() => this.socket.end().resume());
  }

  /** @param end ends the socket, once all was sent */
  #leave(end: () => void): void {
    this.#state = "lingering";
    this.#since = this.#owner.now;
    this.#backlog = undefined;
    this.socket.setTimeout(this.#relay.limits.stallTimeout);
    end();
    this.#owner.settled();
  }

  /** The client has its time for the goodbye from when all before it went out. */
  #lookAtGoodbye(now: number, age: number): void {
    if (!this.socket.writableFinished) this.#since = now;
    else if (age > LINGER) this.socket.destroy();
  }

  /** Where nothing is read, no reset is seen. */
  #lookForClient(): void {
    if (this.socket.isPaused()) this.arrival.probe?.();
  }

  #lookAtBody(now: number): void {
    const waits = this.#exchange.awaitsBody && !this.socket.isPaused();
    const refusal = this.#pace.judge(now, this.#exchange.bodyLength, waits);
    if (refusal !== undefined) this.refuseBody(refusal);
  }

  #drained(): void {
    if (this.#state === "exchanging" || this.#state === "tunnel") this.#exchange.drained();
  }

  /** Nobody waits for the answer any more. 'end' may come late or never: behind what was sent ahead, if the app doesn't answer. */
  #clientSaidAll(): void {
    if (this.#state === "exchanging") this.socket.destroy();
  }

  #clientEnded(): void {
    if (this.#state === "tunnel") this.#exchange.endTunnel();
    else if (this.#state === "exchanging") this.socket.destroy();
    else this.socket.end();
  }

  #closed(): void {
    if (this.#state === "exchanging" || this.#state === "tunnel") this.#exchange.abort();
    this.#state = "lingering";
    this.#owner.closed(this);
  }
}

/** RFC 6455 §4.1. Any other wish may be ignored (RFC 9110 §7.8), and h2c would lead past every check that is made here. */
function isWebSocket(head: RequestHead): boolean {
  return head.hasMethod("GET") && head.fields.value(head.upgradeField).toLowerCase() === "websocket";
}
