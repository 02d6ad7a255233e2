import type { Numbers } from "../access-log/access-entry.ts";

/** What becomes of one exchange or WebSocket, as the engine tells it, for metrics and the access log. */
export class ExchangeRecord {
  /** The answer's status, once it is on its way; 0 before. */
  status = 0;
  /** Why there is no answer of the app, or no whole one. */
  failure: Error | undefined;
  /** The answer is a stream of server-sent events, which has no end. */
  readonly eventStreamBegins: () => void;
  readonly #startedAt = performance.now();
  #bytesSent = 0;
  #bytesReceived = 0;
  #upstreamTime: number | undefined;

  constructor(eventStreamBegins = () => {}) {
    this.eventStreamBegins = eventStreamBegins;
  }

  /** A piece of the request's body, or of what the WebSocket's client sends, in octets. */
  received(bytes: number): void {
    this.#bytesReceived += bytes;
  }

  /** The head of the app's answer is here. */
  appAnswers(): void {
    this.#upstreamTime = performance.now() - this.#startedAt;
  }

  /** A piece of the answer's body, or of what the WebSocket's app sends, in octets. */
  sent(bytes: number): void {
    this.#bytesSent += bytes;
  }

  failed(error: Error): void {
    this.failure = error;
  }

  /** As of now. */
  numbers(): Omit<Numbers, "outcome" | "error"> {
    return {
      status: this.status,
      duration: performance.now() - this.#startedAt,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      upstreamTime: this.#upstreamTime,
    };
  }
}
