import type { Server, Socket } from "node:net";
import { type SecureContextOptions, createServer } from "node:tls";
import type { CertificatePair } from "../certificate.ts";
import { tlsSettings } from "../tls-settings.ts";
import { Arrivals } from "./arrivals.ts";
import type { ConnectionHandler } from "./connection-handler.ts";
import { type ProxyProtocolOptions, gateBefore } from "./gate-before.ts";

export interface TcpFrontOptions {
  readonly pair: CertificatePair;
  readonly handler: ConnectionHandler;
  /** The protocols offered by ALPN; with none, what a client offers is left unanswered. */
  readonly alpn: readonly string[];
  /** The peers that have to send a PROXY header, and what hears of those that don't. */
  readonly proxyProtocol: ProxyProtocolOptions | undefined;
  readonly observer: TcpFrontObserver;
}

export interface TcpFrontObserver {
  handshakeFailed(error: NodeJS.ErrnoException): void;
  handshakeSucceeded(version: string): void;
}

/** TLS for the byte pipe. */
export class TcpFront {
  /** What has to listen: the TLS server, or the gate for the PROXY protocol in front of it. */
  readonly server: Server;
  readonly #tls;
  readonly #arrivals;
  readonly #handler: ConnectionHandler;
  readonly #sockets = new Set<Socket>();

  constructor({ pair, handler, alpn, proxyProtocol, observer }: TcpFrontOptions) {
    const offer = alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {};
    this.#handler = handler;
    this.#tls = createServer({ ...OF_TCP, ...secureContext(pair), ...offer, handshakeTimeout: HANDSHAKE_TIMEOUT });
    this.#arrivals = new Arrivals(this.#tls);
    this.#tls.on("tlsClientError", (error) => observer.handshakeFailed(error));
    this.#tls.on("secureConnection", (socket) => {
      observer.handshakeSucceeded(socket.getProtocol() ?? "unknown");
      this.#handler.accept(socket, this.#arrivals.of(socket));
    });
    this.server = proxyProtocol ? gateBefore(this.#tls, this.#arrivals, proxyProtocol, OF_TCP) : this.#tls;
    this.server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** For handshakes from now on; open connections keep theirs. */
  replaceCertificate(pair: CertificatePair): void {
    this.#tls.setSecureContext(secureContext(pair));
  }

  /** @returns what was still open and not idle at the deadline, one line each */
  async drain(deadline: AbortSignal): Promise<string[]> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    const cutOff = await this.#handler.drain(deadline);
    for (const socket of this.#sockets) socket.destroy(); // still without TLS
    await closed;
    return cutOff;
  }
}

/** Either end may end its half alone; who is gone without a goodbye is found out within minutes. */
const OF_TCP = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
/** Milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000;

function secureContext({ cert, key }: CertificatePair): SecureContextOptions {
  return { ...tlsSettings(), cert, key };
}
