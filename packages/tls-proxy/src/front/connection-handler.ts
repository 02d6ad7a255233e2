import type { TLSSocket } from "node:tls";
import type { Arrival } from "./arrivals.ts";

/** What serves the connections of one protocol once TLS is up. */
export interface ConnectionHandler {
  accept(socket: TLSSocket, arrival: Arrival): void;
  /**
   * Brings all connections to an end; no new ones come any more.
   *
   * @param deadline aborts when what is left has to be cut off
   * @returns what was cut off, one line each
   */
  drain(deadline: AbortSignal): Promise<string[]>;
}
