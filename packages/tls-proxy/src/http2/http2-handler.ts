import type { TLSSocket } from "node:tls";
import { setImmediate as nextTurn } from "node:timers/promises";
import { aborted } from "../aborted.ts";
import type { Arrival } from "../front/arrivals.ts";
import type { ConnectionHandler } from "../front/connection-handler.ts";
import type { RelayOptions } from "../relay/relay-options.ts";
import { ClientSession, type SessionOwner } from "./client-session.ts";

/** HTTP/2 for clients: each stream becomes an exchange in HTTP/1.1, by the relay's rules and over the relay's pool. */
export class Http2Handler implements ConnectionHandler, SessionOwner {
  readonly #options: RelayOptions;
  readonly #sessions = new Set<ClientSession>();
  #clock: NodeJS.Timeout | undefined;
  #draining = false;
  #onIdle = () => {};

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#sessions.size;
  }

  get upgraded(): number {
    return [...this.#sessions].filter(({ hasTunnel }) => hasTunnel).length;
  }

  accept(socket: TLSSocket, arrival: Arrival): void {
    this.#sessions.add(new ClientSession(socket, arrival, this.#options, this));
    this.#clock ??= setInterval(() => this.#look(), 1_000).unref();
  }

  closed(session: ClientSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) {
      clearInterval(this.#clock);
      this.#clock = undefined;
    }
    this.settled();
  }

  settled(): void {
    if (this.#draining && ![...this.#sessions].some(({ isBusy }) => isBusy)) this.#onIdle();
  }

  /** Clients are told to go elsewhere; tunnels and streams of events end when nothing else is under way. */
  async drain(deadline: AbortSignal): Promise<string[]> {
    this.#draining = true;
    for (const session of this.#sessions) session.drain();
    const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.settled();
    await Promise.race([idle, aborted(deadline)]);
    const now = performance.now();
    const cutOff = [...this.#sessions].flatMap((session) => session.describe(now));
    for (const session of this.#sessions) session.end();
    await nextTurn(); // the resets are on their way then, before anybody destroys the sockets
    return cutOff;
  }

  #look(): void {
    const now = performance.now();
    for (const session of this.#sessions) session.look(now);
  }
}
