import type { Server as TcpServer, Socket } from "node:net";
import { type Server, type TLSSocket, createServer } from "node:tls";
import { setTimeout as delay } from "node:timers/promises";
import { aborted } from "../aborted.ts";
import type { Certificates } from "../certificates/certificates.ts";
import { identityFields } from "../certificates/identity-fields.ts";
import { type Arrival, Arrivals } from "./arrivals.ts";
import type { ConnectionHandler } from "./connection-handler.ts";
import { type ProxyProtocolOptions, gateBefore } from "./gate-before.ts";

/** What the front tells of its clients. */
export interface FrontObserver {
  handshakeFailed(error: NodeJS.ErrnoException): void;
  handshakeSucceeded(version: string): void;
}

export interface FrontOptions {
  /** Which certificates are served, and who a client is. */
  readonly certificates: Certificates;
  /** What serves a protocol, by the name that ALPN has for it (RFC 7301), the preferred one first. */
  readonly handlers: Readonly<Record<string, ConnectionHandler>>;
  /** What serves clients that agree on no protocol by ALPN. */
  readonly otherwise: ConnectionHandler;
  readonly observer: FrontObserver;
  /** Who has to say by the PROXY protocol whom a connection is for. */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined;
  /** Answers a client that speaks HTTP without TLS, on its TCP connection. Default: it is closed. */
  readonly onPlainHttp?: (socket: Socket) => void;
  /** Whether a client is a proxy that may say where its requests come from. */
  readonly trusted?: (address: string | undefined) => boolean;
  /** How long a handshake may take, milliseconds. */
  readonly handshakeTimeout?: number;
  /** Connections beyond this number are closed as they come; 0 is no limit. */
  readonly maxConnections?: number;
}

/** The side that clients see: terminates TLS, and hands every connection to what serves its protocol. */
export class Front {
  /** What has to listen: the TLS server itself, or the gate for the PROXY protocol in front of it. */
  readonly listener: TcpServer;
  readonly server: Server;
  readonly #options: FrontOptions;
  readonly #arrivals: Arrivals;
  readonly #sockets = new Set<Socket>();

  constructor(options: FrontOptions) {
    this.#options = options;
    const { certificates, handlers, proxyProtocol, maxConnections = 0, handshakeTimeout = HANDSHAKE_TIMEOUT } = options;
    const offered = Object.keys(handlers);
    this.server = createServer({
      handshakeTimeout,
      ...certificates.secureServerOptions(),
      ...(offered.length > 0 && { ALPNProtocols: offered }),
      ...OF_TCP,
    });
    certificates.attach(this.server);
    this.#arrivals = new Arrivals(this.server, this.#sockets);
    this.listener = proxyProtocol ? gateBefore(this.server, this.#arrivals, proxyProtocol, OF_TCP) : this.server;
    if (maxConnections > 0) this.listener.maxConnections = maxConnections;
    this.#listen();
  }

  get open(): number {
    return this.#sum((handler) => handler.open);
  }

  get upgraded(): number {
    return this.#sum((handler) => handler.upgraded);
  }

  /**
   * Stops accepting and brings everything to an end.
   * @returns what was still in flight at the deadline and is cut off, one line each
   */
  async drain(deadline: AbortSignal): Promise<string[]> {
    const closed = new Promise((resolve) => this.listener.close(resolve));
    const cutOff = await Promise.all(this.#handlers.map((handler) => handler.drain(deadline)));
    await Promise.race([closed, aborted(deadline), delay(GOODBYE)]);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    return cutOff.flat();
  }

  #listen(): void {
    const { observer, trusted = () => false } = this.#options;
    this.listener.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.server.on("secureConnection", (socket) => {
      observer.handshakeSucceeded(socket.getProtocol() ?? "unknown");
      const arrival = this.#arrivals.of(socket);
      const client = clientOf(this.#options.certificates, socket);
      this.#handlerOf(socket).accept(socket, { ...arrival, ...client, trusted: trusted(arrival.client?.address) });
    });
    this.server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      observer.handshakeFailed(error);
      if (error.code === "ERR_SSL_HTTP_REQUEST") this.#answerPlainHttp(socket);
    });
  }

  /** Node has destroyed the TLS socket by now; the TCP connection is closed behind this event, with what is written until then. */
  #answerPlainHttp(socket: TLSSocket): void {
    const raw = this.#arrivals.under(socket);
    if (!raw?.writable) return;
    raw.on("error", () => {}); // the client may have gone
    this.#options.onPlainHttp?.(raw);
  }

  #handlerOf(socket: TLSSocket): ConnectionHandler {
    const { handlers, otherwise } = this.#options;
    return (socket.alpnProtocol ? handlers[socket.alpnProtocol] : undefined) ?? otherwise;
  }

  get #handlers(): readonly ConnectionHandler[] {
    return [...new Set([...Object.values(this.#options.handlers), this.#options.otherwise])];
  }

  #sum(count: (handler: ConnectionHandler) => number): number {
    return this.#handlers.reduce((sum, handler) => sum + count(handler), 0);
  }
}

/** Who a client is by its certificate, or why it may not come in. */
function clientOf(certificates: Certificates, socket: TLSSocket): Partial<Arrival> {
  const { identity, refusal, ...judgement } = certificates.judgeClient(socket);
  if (identity) return { identity: identityFields(identity), clientSubject: identity.subject };
  const presented = "presented" in judgement ? judgement.presented : undefined;
  return { refusal, clientSubject: presented?.subject, refusedFingerprint: presented?.fingerprint };
}

/** Who is gone without a goodbye is found out within minutes. */
const OF_TCP = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
const HANDSHAKE_TIMEOUT = 10_000;
/** How long the last bytes may take to leave, milliseconds. */
const GOODBYE = 250;
