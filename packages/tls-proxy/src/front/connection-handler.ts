import type { TLSSocket } from "node:tls";

/** Where a connection came from. */
export interface Arrival {
  /** The client's address; nothing once it has gone. */
  readonly clientAddress: string | undefined;
  /** What the app is told of the client's certificate: names and values of header fields in turn. */
  readonly identity?: readonly string[] | undefined;
  /** The subject of the client's certificate. */
  readonly clientSubject?: string | undefined;
  /** Whether the client is a proxy that may say where its requests come from. */
  readonly trusted?: boolean | undefined;
}

/** What serves the connections of one protocol once TLS is up. */
export interface ConnectionHandler {
  accept(socket: TLSSocket, arrival: Arrival): void;
  /**
   * Ends what is idle, and lets what is under way end until the deadline.
   * @returns what is cut off then, a line each
   */
  drain(deadline: AbortSignal): Promise<string[]>;
  /** Connections that are open. */
  readonly open: number;
  /** Those of them that speak another protocol than HTTP by now. */
  readonly upgraded: number;
}
