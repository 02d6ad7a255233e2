import type { TLSSocket } from "node:tls";
import { aborted } from "../aborted.ts";
import type { Arrival } from "../front/arrivals.ts";
import type { ConnectionHandler } from "../front/connection-handler.ts";
import { ClientConnection, type ConnectionOwner } from "./client-connection.ts";
import type { RelayOptions } from "./relay-options.ts";

/** The engine for HTTP/1.1: reads every message itself, strictly, and passes its bytes on. */
export class Relay implements ConnectionHandler, ConnectionOwner {
  readonly #options: RelayOptions;
  readonly #connections = new Set<ClientConnection>();
  #clock: NodeJS.Timeout | undefined;
  #onIdle = () => {};
  draining = false;
  now = performance.now();

  constructor(options: RelayOptions) {
    this.#options = options;
    if (options.stopping) void aborted(options.stopping).then(() => (this.draining = true));
  }

  get open(): number {
    return this.#connections.size;
  }

  get upgraded(): number {
    return this.#count((connection) => connection.isTunnel);
  }

  accept(socket: TLSSocket, arrival: Arrival): void {
    if (this.#clock === undefined) this.now = performance.now();
    this.#connections.add(new ClientConnection(socket, arrival, this.#options, this));
    // One clock for all time-outs: a timer for each would be moved with every request.
    this.#clock ??= setInterval(() => this.#look(), 1_000).unref();
  }

  closed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) {
      clearInterval(this.#clock);
      this.#clock = undefined;
    }
    this.settled();
  }

  settled(): void {
    if (this.draining && this.#count((connection) => connection.isBusy) === 0) this.#onIdle();
  }

  /** Idle connections end, then those whose answer is complete; tunnels and streams of events when nothing else is under way. */
  async drain(deadline: AbortSignal): Promise<string[]> {
    this.draining = true;
    for (const connection of this.#connections) connection.drain();
    const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.settled();
    await Promise.race([idle, aborted(deadline)]);
    const now = performance.now();
    const cutOff = [...this.#connections].filter(({ isBusy }) => isBusy).map((connection) => connection.describe(now));
    for (const connection of this.#connections) connection.end();
    return cutOff;
  }

  #look(): void {
    this.now = performance.now();
    for (const connection of this.#connections) connection.look(this.now);
  }

  #count(has: (connection: ClientConnection) => boolean): number {
    let count = 0;
    for (const connection of this.#connections) if (has(connection)) count++;
    return count;
  }
}
