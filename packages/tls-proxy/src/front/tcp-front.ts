import type { Server, Socket } from "node:net";
import { type SecureContextOptions, type TLSSocket, type TlsOptions, createServer } from "node:tls";
import type { CertificatePair } from "../certificate.ts";
import { proxyProtocolGate } from "../proxy-protocol/gate.ts";
import { tlsSettings } from "../tls-settings.ts";
import { Arrivals } from "./arrivals.ts";
import type { ConnectionHandler } from "./connection-handler.ts";

export interface TcpFrontOptions {
  readonly pair: CertificatePair;
  readonly handler: ConnectionHandler;
  /** The protocols offered by ALPN; with none, what a client offers is left unanswered. */
  readonly alpn: readonly string[];
  /** The peers that have to send a PROXY header; undefined where nobody has to. */
  readonly proxyProtocolFrom: ((address: string | undefined) => boolean) | undefined;
  readonly observer: TcpFrontObserver;
  /** Times in milliseconds. */
  readonly limits?: Partial<typeof LIMITS>;
}

export interface TcpFrontObserver {
  handshakeFailed(error: NodeJS.ErrnoException): void;
  handshakeSucceeded(version: string): void;
  proxyHeaderRefused(peer: string, reason: string): void;
}

/** TLS for the byte pipe. */
export class TcpFront {
  /** What has to listen: the TLS server, or the gate for the PROXY protocol in front of it. */
  readonly server: Server;
  readonly #tls;
  readonly #arrivals;
  readonly #handler: ConnectionHandler;
  readonly #sockets = new Set<Socket>();

  constructor({ pair, handler, alpn, proxyProtocolFrom, observer, limits = {} }: TcpFrontOptions) {
    const { handshakeTimeout, proxyHeaderTimeout } = { ...LIMITS, ...limits };
    const ofTcp = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
    const ofTls: TlsOptions = {
      ...secureContext(pair),
      handshakeTimeout,
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    };
    this.#handler = handler;
    this.#tls = createServer({ ...ofTcp, ...ofTls });
    this.#arrivals = new Arrivals(this.#tls);
    this.#tls.on("tlsClientError", (error) => observer.handshakeFailed(error));
    this.#tls.on("secureConnection", (socket) => {
      observer.handshakeSucceeded(socket.getProtocol() ?? "unknown");
      this.#accept(socket);
    });
    this.server = proxyProtocolFrom ? this.#gate(proxyProtocolFrom, proxyHeaderTimeout, observer, ofTcp) : this.#tls;
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

  #accept(socket: TLSSocket): void {
    this.#handler.accept(socket, this.#arrivals.of(socket));
  }

  #gate(
    requiredFrom: (address: string | undefined) => boolean,
    timeout: number,
    observer: TcpFrontObserver,
    serverOptions: { readonly allowHalfOpen: boolean },
  ): Server {
    return proxyProtocolGate(
      {
        requiredFrom,
        timeout,
        onRefused: (peer, reason) => observer.proxyHeaderRefused(peer, reason),
        pass: (socket, header) => {
          if (header) this.#arrivals.announce(socket, header);
          this.#tls.emit("connection", socket);
        },
      },
      serverOptions,
    );
  }
}

const LIMITS = { handshakeTimeout: 10_000, proxyHeaderTimeout: 10_000 };

function secureContext({ cert, key }: CertificatePair): SecureContextOptions {
  return { ...tlsSettings(), cert, key };
}
