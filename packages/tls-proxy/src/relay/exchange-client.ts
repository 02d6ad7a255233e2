import type { TLSSocket } from "node:tls";
import type { Arrival } from "../front/arrivals.ts";
import type { Origin } from "../http1/origin.ts";
import type { Refusal } from "../http1/refusal.ts";

/** What an exchange needs of the client's connection. */
export interface ExchangeClient {
  readonly socket: TLSSocket;
  readonly origin: Origin;
  readonly arrival: Arrival;
  /** Whether the connection is to end with the exchange under way. */
  readonly closes: boolean;
  /** The app was found: the request's body is wanted. */
  appFound(): void;
  /** The app has switched protocols (RFC 9110 §7.8). */
  tunnelBegins(): void;
  /** The answer is a stream of events, for whose end nobody waits. */
  eventStreamBegins(): void;
  /**
   * The exchange is over.
   * @param persists whether the connection may go on
   * @param isLast whether the client itself said that it sends nothing more (RFC 9112 §9.6)
   */
  exchangeEnded(persists: boolean, isLast?: boolean): void;
  /** Ends the connection so that half an answer doesn't look whole. */
  breakOff(): void;
  /** The request's body is refused. */
  refuseBody(refusal: Refusal): void;
}
