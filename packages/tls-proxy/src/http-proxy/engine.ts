import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { UpstreamRequest } from "./upstream-request.ts";

/**
 * What carries requests to the app. The front has terminated TLS, refused what is malformed and settled the header
 * fields; an engine moves bytes, and answers itself only when the app can't.
 */
export interface Engine {
  /**
   * Carries one exchange.
   * @param gone aborts when the client went away before it was over
   * @param onSent gets the lengths of the pieces of the answer's body
   */
  request(
    request: IncomingMessage,
    response: ServerResponse,
    outgoing: UpstreamRequest,
    gone: AbortSignal,
    onSent?: (bytes: number) => void,
  ): void;
  /** Carries a WebSocket handshake and, once the app agreed, the tunnel. `early` is what came right behind the head. */
  upgrade(request: IncomingMessage, socket: Duplex, early: Buffer, outgoing: UpstreamRequest, gone: AbortSignal): void;
  /** Lets go of idle connections to the app. */
  close(): void;
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
