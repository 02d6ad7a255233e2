import type { TLSSocket } from "node:tls";
import type { Arrival } from "../front/arrivals.ts";
import type { Origin } from "../http1/origin.ts";
import type { StreamExchange } from "./exchange.ts";

/** What a stream's exchange needs of its connection. */
export interface StreamClient {
  readonly socket: TLSSocket;
  readonly origin: Origin;
  readonly arrival: Arrival;
  /** An exchange became one that no drain waits for. */
  settled(): void;
  /** @param isBroken its client didn't wait for the answer's end, or was reset for what it sent */
  ended(exchange: StreamExchange, isBroken: boolean): void;
}
