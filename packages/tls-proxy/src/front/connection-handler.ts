import type { TLSSocket } from "node:tls";
import type { Arrival } from "./arrivals.ts";

/** What serves the connections of one protocol once TLS is up. */
export interface ConnectionHandler {
  accept(socket: TLSSocket, arrival: Arrival): void;
  /**
   * Ends what is idle, and lets what is under way end until the deadline; no new connections come any more.
   * @returns what is cut off then, a line each
   */
  drain(deadline: AbortSignal): Promise<string[]>;
  /** Connections that are open. */
  readonly open: number;
  /** Those of them that speak another protocol than HTTP by now. */
  readonly upgraded: number;
}
