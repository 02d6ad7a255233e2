import type { FailureKind } from "./answer-receiver.ts";
import type { Upstream, Upstreams } from "./upstream.ts";

/** Whose requests are dispatched. */
export interface Dispatcher {
  /** There is a new connection for the request. */
  connected(upstream: Upstream): void;
  /** Nothing listens at the app's address. */
  away(error: Error): void;
}

/** Where one request after the other is sent, and whether one that failed is sent again. */
export class Dispatch {
  /** What carries the request. */
  upstream: Upstream | undefined;
  readonly #pool: Upstreams;
  readonly #owner: Dispatcher;
  #isRepeatable = false;
  #withdraw: (() => void) | undefined;

  constructor(pool: Upstreams, owner: Dispatcher) {
    this.#pool = pool;
    this.#owner = owner;
  }

  begin(isRepeatable: boolean): void {
    this.#isRepeatable = isRepeatable;
  }

  /** A connection that is there already. */
  take(): Upstream | undefined {
    return this.#pool.take();
  }

  /** Asks for a new connection. */
  connect(): void {
    this.#withdraw = this.#pool.connect(
      (upstream) => {
        this.#withdraw = undefined;
        this.#owner.connected(upstream);
      },
      (error) => {
        this.#withdraw = undefined;
        this.#owner.away(error);
      },
    );
  }

  /** Asks for a new connection for a request that the app can't have seen, or only in vain. @returns whether it did */
  repeat(kind: FailureKind): boolean {
    this.upstream = undefined;
    if (!this.#isRepeatable || (kind !== "stale" && kind !== "unread")) return false;
    if (kind === "unread") this.#isRepeatable = false; // an app that resets them all isn't asked for ever
    this.connect();
    return true;
  }

  /** The request is over; a wish for a connection is taken back, and what still goes on over there is ended. */
  abort(): void {
    this.#withdraw?.();
    this.upstream?.abort();
    this.end();
  }

  /** The request is over, on both sides. */
  end(): void {
    this.upstream = this.#withdraw = undefined;
  }
}
