import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Duplex, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { messageOf } from "@pillion/kit";
import { CLIENT_GONE, type Client, type Outcome, connectionFacts, refusedEntry } from "../access-log/access-entry.ts";
import type { AccessLog } from "../access-log/access-log.ts";
import type { AnswerRules } from "../answers/answer-rules.ts";
import type { Arrival } from "../front/arrivals.ts";
import type { ConnectionHandler } from "../front/connection-handler.ts";
import { Origin } from "../http1/origin.ts";
import { HEAD_TOO_LONG, type Refusal } from "../http1/refusal.ts";
import { answer, answerOnSocket, refused } from "../answers/own-answer.ts";
import { Connections } from "./connections.ts";
import type { Engine } from "./engine.ts";
import { ExchangeRecord } from "./exchange-record.ts";
import { refusalOf } from "./request-rules.ts";
import { upstreamRequest } from "./upstream-request.ts";

export interface HttpProxyHandlerOptions {
  readonly engine: Engine;
  /** The Host that the app gets from HTTP/1.0 clients that send none. */
  readonly defaultHost: string;
  readonly observer: {
    /** @param seconds from the request's head to the end of the answer, or to the client's going away */
    answered(status: number, seconds: number): void;
  };
  readonly rules?: AnswerRules | undefined;
  /** Where each request is told of, if anywhere. */
  readonly access?: Pick<AccessLog, "write"> | undefined;
  /** Times in milliseconds, sizes in bytes. */
  readonly limits?: Partial<typeof LIMITS>;
  /** Aborts when answers have to say `Connection: close`, as it will stop. */
  readonly stopping?: AbortSignal | undefined;
}

/** Reads requests with Node's own parser, refuses what is malformed, and hands what it lets through to the engine. */
export class HttpProxyHandler implements ConnectionHandler {
  readonly connections: Connections;
  readonly #server: Server;
  readonly #options: HttpProxyHandlerOptions;
  readonly #origins = new WeakMap<object, Origin>();
  readonly #arrivals = new WeakMap<object, Arrival>();
  /** Connections that end with a refusal. Node's parser goes on in what it has read already: nobody shall hear of it. */
  readonly #refused = new WeakSet<object>();
  /** Why the body of the one request in flight on a connection isn't read to its end. */
  readonly #refusedBodies = new WeakMap<object, Refusal>();

  constructor(options: HttpProxyHandlerOptions) {
    this.#options = options;
    this.connections = new Connections(options.stopping);
    const { stallTimeout, ...http } = { ...LIMITS, ...options.limits };
    this.#server = createServer({
      ...http,
      requestTimeout: 0, // by progress (stallTimeout) and never by total time: uploads may be long
      insecureHTTPParser: false,
      requireHostHeader: false, // request-rules.ts refuses it: Node would, and serve what is pipelined behind it
      shouldUpgradeCallback: (request) => this.#isUpgrade(request),
    });
    this.#server.maxHeadersCount = 0; // no silent dropping of fields beyond a limit: request-rules.ts counts and refuses
    this.#server.on("clientError", (error, socket) => this.#refuseConnection(error, socket));
    this.#server.setTimeout(stallTimeout, (socket) => {
      if (this.connections.waitsForClient(socket)) socket.destroy();
      else socket.setTimeout(stallTimeout);
    });
    this.#listenToRequests();
    // It never listens itself; this is when Node begins to look after time-outs and idle connections.
    this.#server.emit("listening");
  }

  get open(): number {
    return this.connections.open;
  }

  get upgraded(): number {
    return this.connections.upgraded;
  }

  accept(socket: TLSSocket, arrival: Arrival): void {
    this.connections.add(socket, () => arrival.reset());
    this.#origins.set(socket, new Origin(arrival));
    this.#arrivals.set(socket, arrival);
    this.#server.emit("connection", socket);
  }

  async drain(deadline: AbortSignal): Promise<string[]> {
    this.#server.close();
    const cutOff = await this.connections.drain(deadline);
    this.#options.engine.close();
    return cutOff;
  }

  #listenToRequests(): void {
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response);
    this.#server.on("request", serve);
    this.#server.on("checkContinue", serve); // whether to continue is the app's to say
    this.#server.on("checkExpectation", serve); // refused with the rest of what is refused, and the connection closed
    this.#server.on("connect", (request, socket) => this.#tunnel(request, socket, Buffer.alloc(0)));
    this.#server.on("upgrade", (request, socket, early) => this.#tunnel(request, socket, early));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.#refused.has(request.socket)) return;
    const { rules, engine } = this.#options;
    const refusal = this.#refusalOf(request);
    if (refusal) this.#refused.add(request.socket);
    const record = new ExchangeRecord(() => this.connections.eventStreamBegins(request));
    const client = this.connections.begin(request, response, () => {
      const reason = refusal ?? this.#refusedBodies.get(request.socket);
      record.status = response.headersSent ? response.statusCode : (reason?.status ?? 0);
      this.#over(request, record, outcomeOf(response, reason, record));
    });
    if (refusal) return answer(request, response, refused(refusal), rules);
    // Behind a head with `Upgrade` Node's parser drops what was pipelined, though nothing is switched to.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    engine.request(request, response, this.#outgoing(request), client, record);
  }

  /** It is over: told to metrics and access log. */
  #over(request: IncomingMessage, record: ExchangeRecord, outcome: Outcome): void {
    const { status, ...numbers } = record.numbers();
    this.#options.observer.answered(status || CLIENT_GONE, numbers.duration / 1000);
    if (this.#options.access === undefined) return;
    const { method = "-", url: target = "-", httpVersion, headers } = request;
    const said = { method, target, host: headers.host, referer: headers.referer, userAgent: headers["user-agent"] };
    const client = this.#clientOf(request.socket as TLSSocket);
    this.#options.access.write({
      ...connectionFacts(client),
      ...said,
      ...numbers,
      status: status || CLIENT_GONE,
      outcome,
      error: record.failure && messageOf(record.failure),
      protocol: `HTTP/${httpVersion}`,
      reason: client.arrival.refusal,
      time: Date.now() - numbers.duration,
    });
  }

  #clientOf(socket: TLSSocket): Client {
    return { socket, arrival: this.#arrivals.get(socket) ?? NOWHERE };
  }

  #tunnel(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    socket.on("error", () => {}); // Node's own listener went with the parser; 'close' follows
    if (this.#refused.has(socket)) return void socket.end();
    const refusal = this.#refusalOf(request);
    const record = new ExchangeRecord();
    let isOver = false;
    const over = () => {
      if (!isOver) this.#over(request, record, outcomeOf(socket, refusal, record));
      isOver = true;
    };
    // An answer that isn't a tunnel ends before the connection, which the client may keep for a while.
    socket.once("finish", () => record.status !== SWITCHING && over());
    const gone = this.connections.upgrade(request.socket, over);
    if (refusal) {
      record.status = refusal.status;
      return answerOnSocket(request, socket, refused(refusal));
    }
    this.#options.engine.upgrade(request, socket, early, this.#outgoing(request), gone, record);
  }

  #refusalOf(request: IncomingMessage): Refusal | undefined {
    const reason = this.#clientOf(request.socket as TLSSocket).arrival.refusal;
    return reason === undefined ? refusalOf(request) : { status: 403, reason };
  }

  #outgoing(request: IncomingMessage) {
    const origin = this.#origins.get(request.socket) ?? new Origin(NOWHERE);
    return upstreamRequest(request, origin, this.#options.defaultHost);
  }

  /**
   * WebSocket alone (RFC 6455 §4.1), and never behind an exchange in flight or with a body. Any other wish to upgrade
   * may be ignored (RFC 9110 §7.8).
   */
  #isUpgrade(request: IncomingMessage): boolean {
    const { upgrade, "content-length": length, "transfer-encoding": encoding } = request.headers;
    const isHandshake =
      request.method === "GET" && request.httpVersion === "1.1" && upgrade?.toLowerCase() === "websocket";
    const isAlone = !this.connections.isBusy(request.socket) && !this.#refused.has(request.socket);
    return isHandshake && length === undefined && encoding === undefined && isAlone;
  }

  #refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
    const inTurn = !this.connections.isBusy(socket as TLSSocket) || this.connections.isReading(socket as TLSSocket);
    if (!socket.writable || error.code === "ECONNRESET" || !inTurn) return void socket.destroy();
    const refusal = MALFORMED[error.code ?? ""] ?? NOT_HTTP;
    const client = this.#clientOf(socket as TLSSocket);
    if (this.connections.isBusy(client.socket)) {
      this.#refusedBodies.set(socket, refusal);
      this.connections.endExchanges(client.socket);
    } else {
      this.#options.observer.answered(refusal.status, 0);
      this.#options.access?.write(refusedEntry(client, refusal.status));
    }
    answerOnSocket(undefined, socket, refused(refusal));
  }
}

/** @param message the answer, or the socket it was written to */
function outcomeOf(message: Writable, refusal: Refusal | undefined, { status, failure }: ExchangeRecord): Outcome {
  if (refusal) return "refused";
  if (failure) return "app-failed";
  return status > 0 && message.writableFinished ? "complete" : "client-gone";
}

const SWITCHING = 101;
const NOWHERE: Arrival = { reset() {} };

const LIMITS = {
  headersTimeout: 20_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 75_000, // longer than the 60 s of common load balancers, or they send into a closing connection
  maxHeaderSize: 32 * 1024,
  /** How long a connection may be without any traffic while it is the client's turn. */
  stallTimeout: 60_000,
};

const MALFORMED: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: HEAD_TOO_LONG,
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: "the request's head took too long" },
};

const NOT_HTTP: Refusal = { status: 400, reason: "this is not well-formed HTTP" };
