import type { Socket } from "node:net";
import { type Server, type TLSSocket, type TlsOptions, createServer } from "node:tls";
import { setTimeout as delay } from "node:timers/promises";
import { aborted } from "../aborted.ts";
import type { Arrival, ConnectionHandler } from "./connection-handler.ts";

/** What the front tells of its clients. */
export interface FrontObserver {
  handshakeFailed(error: NodeJS.ErrnoException): void;
  handshakeSucceeded(version: string): void;
}

export interface FrontOptions {
  /** Certificates, versions, ciphers. */
  readonly tls: TlsOptions;
  /** What serves a protocol, by the name that ALPN has for it (RFC 7301). Clients without ALPN get `http/1.1`. */
  readonly handlers: Readonly<Record<string, ConnectionHandler>>;
  readonly observer: FrontObserver;
  /** How long a handshake may take, milliseconds. */
  readonly handshakeTimeout?: number;
  /** Connections beyond this number are closed as they come; 0 is no limit. */
  readonly maxConnections?: number;
}

/** The side that clients see: terminates TLS, and hands every connection to what serves its protocol. */
export class Front {
  readonly server: Server;
  readonly #options: FrontOptions;
  readonly #sockets = new Set<Socket>();

  constructor(options: FrontOptions) {
    this.#options = options;
    this.server = createServer({
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      ...options.tls,
      ...(options.handshakeTimeout !== undefined && { handshakeTimeout: options.handshakeTimeout }),
      ALPNProtocols: Object.keys(options.handlers),
      noDelay: true,
      keepAlive: true, // a peer that vanished without a word is noticed
      keepAliveInitialDelay: 60_000,
    });
    if (options.maxConnections !== undefined && options.maxConnections > 0)
      this.server.maxConnections = options.maxConnections;
    this.#listen();
  }

  /** For handshakes from now on; open connections keep what they have. */
  replaceCertificate(certificate: Pick<TlsOptions, "cert" | "key">): void {
    this.server.setSecureContext({ ...this.#options.tls, ...certificate });
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
    const closed = new Promise((resolve) => this.server.close(resolve));
    const cutOff = await Promise.all(this.#handlers.map((handler) => handler.drain(deadline)));
    await Promise.race([closed, aborted(deadline), delay(GOODBYE)]);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    return cutOff.flat();
  }

  #listen(): void {
    const { observer } = this.#options;
    this.server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.server.on("secureConnection", (socket) => {
      observer.handshakeSucceeded(socket.getProtocol() ?? "unknown");
      this.#handlerOf(socket)?.accept(socket, arrivalOf(socket));
    });
    this.server.on("tlsClientError", (error) => observer.handshakeFailed(error));
  }

  #handlerOf(socket: TLSSocket): ConnectionHandler | undefined {
    const { handlers } = this.#options;
    return handlers[socket.alpnProtocol || "http/1.1"] ?? this.#handlers[0];
  }

  get #handlers(): readonly ConnectionHandler[] {
    return [...new Set(Object.values(this.#options.handlers))];
  }

  #sum(count: (handler: ConnectionHandler) => number): number {
    return this.#handlers.reduce((sum, handler) => sum + count(handler), 0);
  }
}

const HANDSHAKE_TIMEOUT = 10_000;
/** How long the last bytes may take to leave, milliseconds. */
const GOODBYE = 250;

function arrivalOf(socket: TLSSocket): Arrival {
  return { clientAddress: socket.remoteAddress };
}
