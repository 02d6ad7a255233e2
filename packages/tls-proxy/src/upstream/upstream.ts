import type { AnswerReceiver } from "./answer-receiver.ts";

/** What an answer depends on besides its own head. */
export interface Expectation {
  /** The request's method is HEAD. */
  readonly isHead: boolean;
  /** The request asks to switch protocols, to WebSocket. */
  readonly wantsUpgrade: boolean;
  /** Its Sec-WebSocket-Key (RFC 6455 §4.1), if it has one; only looked at when the app switches. */
  readonly webSocketKey?: string | undefined;
}

/** Carries requests in HTTP/1.1 to the app, one at a time, and tells what it answers. */
export interface Upstream {
  /** Starts an exchange; the request's head as the app gets it is to be written next, whole. */
  begin(receiver: AnswerReceiver, expectation: Expectation): void;
  /** @returns whether it takes more now; if not, `writable` is called later */
  write(bytes: Buffer): boolean;
  /** Nothing of the request is missing any more. */
  requestEnded(): void;
  /** A tunnel's client has said all. */
  end(): void;
  resume(): void;
  /** Ends the exchange at once; the receiver hears no more. */
  abort(): void;
}

/** Where requests get what carries them. */
export interface Upstreams {
  /** One that is there already. */
  take(): Upstream | undefined;
  /**
   * A new one.
   * @param fail called when nothing listens at the app's address for as long as requests are held
   * @returns takes the wish back
   */
  connect(use: (upstream: Upstream) => void, fail: (error: Error) => void): () => void;
}
