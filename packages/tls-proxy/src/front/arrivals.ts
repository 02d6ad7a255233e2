import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { canonicalAddress } from "../ip-address.ts";
import type { Endpoint, ProxyHeader } from "../proxy-protocol/header.ts";
import { tcpUnder } from "../tcp-under.ts";

/** How a connection came in. Over a unix socket neither end has an address. */
export interface Arrival {
  /** The client; behind a load balancer the one that its PROXY header names. */
  readonly client?: Endpoint;
  /** Where the client connected to. */
  readonly local?: Endpoint;
  /** What the app is told of the client's certificate: names and values of header fields in turn. */
  readonly identity?: readonly string[] | undefined;
  /** The subject of the client's certificate, be it refused or not. */
  readonly clientSubject?: string | undefined;
  /** SHA-256 of a certificate that was refused, hexadecimal. */
  readonly refusedFingerprint?: string | undefined;
  /** Why the client may not come in: its certificate, or the lack of one. */
  readonly refusal?: string | undefined;
  /** Whether the client is a proxy that may say where its requests come from. */
  readonly trusted?: boolean | undefined;
  /** Aborts the TCP connection: the client gets an error, where TLS that just ends looks whole to many. A unix socket can only end. */
  reset(): void;
  /** Ends the connection if the client has reset it, which shows by itself only while it is read. */
  probe?(): void;
}

/** Knows how each TLS connection came in, by the TCP connection or unix socket under it. */
export class Arrivals {
  readonly #known = new WeakMap<Socket, Arrival>();
  readonly #headers = new WeakMap<Socket, ProxyHeader>();
  readonly #open: ReadonlySet<Socket>;

  /** @param open all connections of the server that are open, before TLS */
  constructor(server: Server, open: ReadonlySet<Socket>) {
    this.#open = open;
    server.on("connection", (raw: Socket) => this.#add(raw));
  }

  /** Says what a connection's PROXY header was, before the TLS server gets the connection. */
  announce(raw: Socket, header: ProxyHeader): void {
    this.#headers.set(raw, header);
  }

  of(socket: TLSSocket): Arrival {
    const raw = this.under(socket);
    return (raw && this.#known.get(raw)) ?? { reset: () => socket.destroy() };
  }

  /**
   * The connection itself. Only while it isn't TLS, as bytes on it pass TLS by. Where Node doesn't tell, it is the one with
   * the same pair of addresses and ports.
   */
  under(socket: TLSSocket): Socket | undefined {
    return tcpUnder(socket) ?? [...this.#open].find((raw) => haveSameEnds(raw, socket));
  }

  #add(raw: Socket): void {
    const header = this.#headers.get(raw);
    const client = header?.source ?? endpoint(raw.remoteAddress, raw.remotePort);
    const local = header?.destination ?? endpoint(raw.localAddress, raw.localPort);
    const isTcp = raw.remoteAddress !== undefined;
    const reset = () => void (isTcp ? raw.resetAndDestroy() : raw.destroy());
    // Puts nothing between the bytes of TLS, and fails behind a reset; an empty write in TLS would end in OpenSSL.
    const probe = () => void raw.write("");
    this.#known.set(raw, { ...(client && { client }), ...(local && { local }), reset, probe });
  }
}

function haveSameEnds(one: Socket, other: Socket): boolean {
  return (
    one.remoteAddress !== undefined &&
    one.remoteAddress === other.remoteAddress &&
    one.remotePort === other.remotePort &&
    one.localAddress === other.localAddress &&
    one.localPort === other.localPort
  );
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined || port === undefined ? undefined : { address: canonicalAddress(address), port };
}
