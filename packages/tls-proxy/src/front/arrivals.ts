import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { canonicalAddress } from "../ip-address.ts";
import type { Endpoint, ProxyHeader } from "../proxy-protocol/header.ts";

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
  /** Aborts the TCP connection: the client gets an error, where TLS that just ends looks whole to many. */
  reset(): void;
  /** Ends the connection if the client has reset it, which shows by itself only while it is read. */
  probe?(): void;
}

/**
 * Knows the TCP connection under each TLS socket. Node has no public way from one to the other; what both show is their
 * pair of addresses and ports, of which there is one at a time.
 */
export class Arrivals {
  readonly #byEnds = new Map<string, { readonly arrival: Arrival; readonly raw: Socket }>();
  readonly #headers = new WeakMap<Socket, ProxyHeader>();

  constructor(server: Server) {
    server.on("connection", (raw: Socket) => this.#add(raw));
  }

  /** Says what a connection's PROXY header was, before the TLS server gets the connection. */
  announce(raw: Socket, header: ProxyHeader): void {
    this.#headers.set(raw, header);
  }

  of(socket: TLSSocket): Arrival {
    const unknown: Arrival = { reset: () => socket.destroy() };
    return this.#byEnds.get(endsOf(socket) ?? "")?.arrival ?? unknown;
  }

  /** The TCP connection itself. Only while it isn't TLS, as bytes on it pass TLS by. */
  under(socket: TLSSocket): Socket | undefined {
    return this.#byEnds.get(endsOf(socket) ?? "")?.raw;
  }

  #add(raw: Socket): void {
    const ends = endsOf(raw);
    if (ends === undefined) return;
    const header = this.#headers.get(raw);
    const client = header?.source ?? endpoint(raw.remoteAddress, raw.remotePort);
    const local = header?.destination ?? endpoint(raw.localAddress, raw.localPort);
    const reset = () => void raw.resetAndDestroy();
    // Puts nothing between the bytes of TLS, and fails behind a reset; an empty write in TLS would end in OpenSSL.
    const probe = () => void raw.write("");
    const arrival = { ...(client && { client }), ...(local && { local }), reset, probe };
    this.#byEnds.set(ends, { arrival, raw });
    raw.once("close", () => {
      if (this.#byEnds.get(ends)?.raw === raw) this.#byEnds.delete(ends);
    });
  }
}

/** Nothing for a unix socket, and for a connection that is gone already. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined || port === undefined ? undefined : { address: canonicalAddress(address), port };
}
