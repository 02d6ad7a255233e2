import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { setTimeout as delay } from "node:timers/promises";
import type { Certificates } from "./certificates/certificates.ts";
import { identityFields } from "./certificates/identity-fields.ts";
import { aborted, Connections } from "./connections.ts";
import type { Engine } from "./engine.ts";
import { answer, answerOnSocket, type OwnAnswer } from "./own-answer.ts";
import { refusalOf, type Refusal } from "./request-rules.ts";
import { upstreamRequest, type UpstreamRequest } from "./upstream-request.ts";

/** What the front tells of its clients. */
export interface FrontObserver {
  handshakeFailed(error: NodeJS.ErrnoException): void;
  handshakeSucceeded(version: string): void;
  /** @param seconds from the request's head to the end of the answer, or to the client's going away */
  answered(status: number, seconds: number): void;
}

export interface FrontOptions {
  readonly certificates: Certificates;
  readonly engine: Engine;
  /** The Host that the app gets from HTTP/1.0 clients that send none. */
  readonly defaultHost: string;
  readonly observer: FrontObserver;
  /** Times in milliseconds, sizes in bytes. */
  readonly limits?: Partial<typeof LIMITS>;
}

/** The HTTPS side: TLS, limits, what is refused, what is in flight. What it lets through goes to the engine. */
export class Front {
  readonly server: Server;
  readonly connections = new Connections();
  readonly #engine: Engine;
  readonly #defaultHost: string;
  readonly #observer: FrontObserver;
  readonly #certificates: Certificates;
  readonly #sockets = new Set<Socket>();
  /** By connection: why its client gets no further, or the fields that tell the app who it is. */
  readonly #clients = new WeakMap<Socket, { readonly refusal?: string; readonly fields: readonly string[] }>();

  constructor({ certificates, engine, defaultHost, observer, limits = {} }: FrontOptions) {
    this.#certificates = certificates;
    this.#engine = engine;
    this.#defaultHost = defaultHost;
    this.#observer = observer;
    const { stallTimeout, ...http } = { ...LIMITS, ...limits };
    this.server = createServer({
      ...http,
      ...certificates.secureServerOptions(),
      requestTimeout: 0, // by progress (stallTimeout) and never by total time: uploads may be long
      insecureHTTPParser: false,
      ALPNProtocols: ["http/1.1"],
      shouldUpgradeCallback: (request) => this.#isUpgrade(request),
    });
    this.server.maxHeadersCount = 0; // no silent dropping of fields beyond a limit: request-rules.ts counts and refuses
    certificates.attach(this.server);
    this.#listenToConnections(stallTimeout);
    this.#listenToRequests();
  }

  /**
   * Stops accepting and brings everything to an end.
   * @returns what was still in flight at the deadline and is cut off, one line each
   */
  async drain(deadline: AbortSignal): Promise<string[]> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    const cutOff = await this.connections.drain(deadline);
    await Promise.race([closed, aborted(deadline), delay(GOODBYE)]);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    return cutOff;
  }

  #listenToConnections(stallTimeout: number): void {
    this.server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.server.on("secureConnection", (socket) => {
      this.#observer.handshakeSucceeded(socket.getProtocol() ?? "unknown");
      const { identity, refusal } = this.#certificates.judgeClient(socket);
      this.#clients.set(socket, {
        ...(refusal !== undefined && { refusal }),
        fields: identity ? identityFields(identity) : [],
      });
      this.connections.add(socket);
    });
    this.server.on("tlsClientError", (error) => this.#observer.handshakeFailed(error));
    this.server.on("clientError", (error, socket) => this.#refuseConnection(error, socket));
    this.server.setTimeout(stallTimeout, (socket) => {
      if (this.connections.waitsForClient(socket)) socket.destroy();
      else socket.setTimeout(stallTimeout);
    });
  }

  #listenToRequests(): void {
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response);
    this.server.on("request", serve);
    this.server.on("checkContinue", serve); // whether to continue is the app's to say
    this.server.on("connect", (request, socket) => this.#tunnel(request, socket, Buffer.alloc(0)));
    this.server.on("upgrade", (request, socket, early) => this.#tunnel(request, socket, early));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const gone = this.connections.begin(request, response, (seconds) =>
      this.#observer.answered(response.headersSent ? response.statusCode : CLIENT_GONE, seconds),
    );
    const refusal = this.#refusalOf(request);
    if (refusal) return answer(request, response, refused(refusal));
    this.#engine.request(request, response, this.#outgoing(request), gone);
  }

  #tunnel(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    socket.on("error", () => {}); // Node's own listener went with the parser; 'close' follows
    const gone = this.connections.upgrade(request.socket);
    const refusal = this.#refusalOf(request);
    if (refusal) return answerOnSocket(request, socket, refused(refusal));
    this.#engine.upgrade(request, socket, early, this.#outgoing(request), gone);
  }

  #refusalOf(request: IncomingMessage): Refusal | undefined {
    const reason = this.#clients.get(request.socket)?.refusal;
    return reason === undefined ? refusalOf(request) : { status: 403, reason };
  }

  #outgoing(request: IncomingMessage): UpstreamRequest {
    return upstreamRequest(request, this.#defaultHost, this.#clients.get(request.socket)?.fields ?? []);
  }

  /**
   * WebSocket alone (RFC 6455 §4.1), and never behind an exchange in flight or with a body. Any other wish to upgrade
   * may be ignored (RFC 9110 §7.8).
   */
  #isUpgrade(request: IncomingMessage): boolean {
    const { upgrade, "content-length": length, "transfer-encoding": encoding } = request.headers;
    const isHandshake =
      request.method === "GET" && request.httpVersion === "1.1" && upgrade?.toLowerCase() === "websocket";
    return isHandshake && length === undefined && encoding === undefined && !this.connections.isBusy(request.socket);
  }

  #refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
    const inTurn = !this.connections.isBusy(socket as TLSSocket) || this.connections.isReading(socket as TLSSocket);
    if (!socket.writable || error.code === "ECONNRESET" || !inTurn) socket.destroy();
    else answerOnSocket(undefined, socket, refused(MALFORMED[error.code ?? ""] ?? NOT_HTTP));
  }
}

/** nginx's status for requests whose client left before there was an answer. */
const CLIENT_GONE = 499;
/** How long the last bytes may take to leave, milliseconds. */
const GOODBYE = 250;

const LIMITS = {
  handshakeTimeout: 10_000,
  headersTimeout: 20_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 75_000, // longer than the 60 s of common load balancers, or they send into a closing connection
  maxHeaderSize: 32 * 1024,
  /** How long a connection may be without any traffic while it is the client's turn. */
  stallTimeout: 60_000,
};

const MALFORMED: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, reason: "the request's head is longer than 32 KiB" },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: "the request's head took too long" },
};

const NOT_HTTP: Refusal = { status: 400, reason: "this is not well-formed HTTP" };

function refused({ status, reason }: Refusal): OwnAnswer {
  return { status, explanation: `The request was refused: ${reason}.`, close: true };
}
