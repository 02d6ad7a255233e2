import type { Address } from "@pillion/kit";
import { systemCode } from "@pillion/kit";
import { CANNOT_CONNECT } from "./cannot-connect.ts";
import { UpstreamConnection, type UpstreamConnectionOwner } from "./upstream-connection.ts";
import type { Upstreams } from "./upstream.ts";

/** What the pool tells of the app. */
interface UpstreamPoolObserver {
  /** Nothing listens at the app's address. */
  away(error: Error): void;
}

export interface UpstreamPoolOptions {
  readonly address: Address;
  /** How long a request is held while nothing listens at the app's address, milliseconds. */
  readonly wait: number;
  /** How long one attempt to connect may take, milliseconds. */
  readonly connectTimeout: number;
  readonly observer: UpstreamPoolObserver;
}

/** A request that has no connection yet. */
interface Waiting {
  /** On the clock of `performance.now`. */
  readonly until: number;
  readonly use: (connection: UpstreamConnection) => void;
  readonly fail: (error: Error) => void;
}

/** Idle longer than this, a connection isn't worth its risk: apps close after 5 s (Node, Apache) and more. */
const MAX_IDLE_TIME = 60_000;
const IDLE_ROUNDS = 4;
const MAX_IDLE = 256;
/** Between two looks whether the app is back, milliseconds. */
const PROBE_INTERVAL = 100;

/**
 * Connections to the app. The one that was used last is used first, so that few stay warm and the others end. While the
 * app is away, requests wait here, and one connection at a time looks whether it is back.
 */
export class UpstreamPool implements Upstreams, UpstreamConnectionOwner {
  readonly #options: UpstreamPoolOptions;
  readonly #idle: UpstreamConnection[] = [];
  readonly #open = new Set<UpstreamConnection>();
  readonly #connecting = new Map<UpstreamConnection, Waiting>();
  /** In the order in which they came, while the app is away. */
  readonly #waiting = new Set<Waiting>();
  /** Why they wait. */
  #away = new Error("nothing answers");
  #probe: NodeJS.Timeout | undefined;
  #house: NodeJS.Timeout | undefined;
  #closed = false;
  /** Counts looks at what is idle: a clock would be asked with every request. */
  #round = 0;

  constructor(options: UpstreamPoolOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open.size;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  /** Requests that wait for the app to come back, or for a connection. */
  get waiting(): number {
    return this.#waiting.size + this.#connecting.size;
  }

  /** An idle connection, if there is one. */
  take(): UpstreamConnection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop())
      if (connection.usable) return connection;
    return undefined;
  }

  /**
   * A new connection.
   * @param fail called when nothing listens at the app's address for `wait`, or it can't be connected to at all
   * @returns takes the wish back
   */
  connect(use: (connection: UpstreamConnection) => void, fail: (error: Error) => void): () => void {
    const waiting: Waiting = { until: performance.now() + this.#options.wait, use, fail };
    if (this.#waiting.size > 0) this.#waiting.add(waiting);
    else this.#open.add(this.#start(waiting));
    return () => this.#withdraw(waiting);
  }

  connected(connection: UpstreamConnection): void {
    const waiting = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    if (waiting === undefined) this.idle(connection);
    else waiting.use(connection);
    const others = [...this.#waiting];
    this.#waiting.clear();
    for (const other of others) this.#open.add(this.#start(other));
  }

  idle(connection: UpstreamConnection): void {
    if (this.#closed || this.#idle.length >= MAX_IDLE) return connection.abort();
    // An app that ends takes no new connections any more, and answers on those that it has.
    const [first] = this.#waiting;
    if (first !== undefined && connection.usable) {
      this.#waiting.delete(first);
      return first.use(connection);
    }
    connection.idleSince = this.#round;
    this.#idle.push(connection);
    this.#house ??= setInterval(() => this.#dropOldest(), MAX_IDLE_TIME / IDLE_ROUNDS).unref();
  }

  closed(connection: UpstreamConnection, error: Error | undefined): void {
    this.#open.delete(connection);
    const place = this.#idle.indexOf(connection);
    if (place >= 0) this.#idle.splice(place, 1);
    const waiting = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    if (waiting !== undefined) this.#refused(waiting, error ?? new Error("the app closed the connection at once"));
    // Whose attempt it was may have left, or failed for good: the others still want to know.
    if (this.#waiting.size > 0 && this.#connecting.size === 0) this.#lookLater();
  }

  /** Ends idle connections, and those that come back from their exchange. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#house);
    clearTimeout(this.#probe);
    for (const connection of this.#idle.splice(0)) connection.abort();
    for (const [connection] of this.#connecting) connection.abort();
  }

  #start(waiting: Waiting): UpstreamConnection {
    const connection = new UpstreamConnection(this.#options.address, this.#options.connectTimeout, this);
    this.#connecting.set(connection, waiting);
    return connection;
  }

  #refused(waiting: Waiting, error: Error): void {
    if (!IS_AWAY.has(systemCode(error) ?? "")) return waiting.fail(error);
    this.#options.observer.away(error);
    if (performance.now() >= waiting.until) return waiting.fail(error);
    this.#away = error;
    this.#waiting.add(waiting);
  }

  #lookLater(): void {
    if (!this.#closed) this.#probe ??= setTimeout(() => this.#lookAgain(), PROBE_INTERVAL);
  }

  #lookAgain(): void {
    this.#probe = undefined;
    const now = performance.now();
    for (const waiting of this.#waiting) {
      if (now < waiting.until) continue;
      this.#waiting.delete(waiting);
      waiting.fail(this.#away);
    }
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#waiting.delete(first);
    this.#open.add(this.#start(first));
  }

  #withdraw(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    for (const [connection, one] of this.#connecting) {
      if (one !== waiting) continue;
      this.#connecting.delete(connection);
      connection.abort();
    }
  }

  #dropOldest(): void {
    this.#round++;
    while (this.#idle[0] !== undefined && this.#idle[0].idleSince < this.#round - IDLE_ROUNDS)
      this.#idle.shift()?.abort();
    if (this.#idle.length > 0) return;
    clearInterval(this.#house);
    this.#house = undefined;
  }
}

/** Codes of an app that isn't there. Reset while connecting: it ended before it accepted. */
const IS_AWAY: ReadonlySet<string> = new Set([...CANNOT_CONNECT, "ECONNRESET"]);
