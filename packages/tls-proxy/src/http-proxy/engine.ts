import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ExchangeRecord } from "./exchange-record.ts";
import type { UpstreamRequest } from "./upstream-request.ts";

/**
 * What carries requests to the app. The front has terminated TLS, refused what is malformed and settled the header
 * fields; an engine moves bytes, and answers itself only when the app can't.
 */
export interface Engine {
  /**
   * Carries one exchange.
   * @param client of this request
   */
  request(
    request: IncomingMessage,
    response: ServerResponse,
    outgoing: UpstreamRequest,
    client: ExchangeClient,
    record: ExchangeRecord,
  ): void;
  /**
   * Carries a WebSocket handshake and, once the app agreed, the tunnel.
   * @param early what came right behind the head
   * @param gone aborts when the client went away
   */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    early: Buffer,
    outgoing: UpstreamRequest,
    gone: AbortSignal,
    record: ExchangeRecord,
  ): void;
  /** Lets go of idle connections to the app. */
  close(): void;
}

/** The client of one exchange. An abort signal and its controller would cost more than all else that is done for it. */
export interface ExchangeClient {
  /** Whether it went away before the exchange was over. */
  readonly gone: boolean;
  /** Called when it does; set by the engine. */
  onGone: () => void;
}

/** What an engine tells of the app. */
export interface UpstreamObserver {
  /** The app cannot be reached at all: the client was told to come back. */
  away(error: Error): void;
  /** The app broke off, or answered with what isn't HTTP. */
  failed(error: Error): void;
  /** The app answered. */
  reached(): void;
}
