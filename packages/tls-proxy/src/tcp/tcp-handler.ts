import { setTimeout as delay } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Socket } from "node:net";
import type { Address } from "@pillion/kit";
import { aborted } from "../aborted.ts";
import type { Arrival } from "../front/arrivals.ts";
import type { ConnectionHandler } from "../front/connection-handler.ts";
import { connectWhenUp } from "../upstream/connect-when-up.ts";
import { type Direction, Tunnel, type TunnelOutcome, abortSocket } from "./tunnel.ts";
import { upstreamHeader } from "./upstream-header.ts";

export interface TcpOptions {
  readonly upstream: Address;
  readonly sendProxyProtocol: "off" | "v1" | "v2";
  /** Times in milliseconds. */
  readonly upstreamWait: number;
  readonly connectTimeout: number;
  /** 0 is for ever. */
  readonly idleTimeout: number;
  /** In a drain: how long nothing has to move, with the app's bytes the last, for a connection to be idle. */
  readonly quietTime: number;
  readonly observer: TcpObserver;
}

/** What the byte pipe tells of its connections and of the app. */
export interface TcpObserver {
  /** A client was aborted for its certificate, or the lack of one. */
  refused(arrival: Arrival): void;
  /** Nobody listens at the app's address; the client is held. */
  waiting(error: unknown): void;
  /** The app can't be reached, and the client was aborted. */
  away(error: unknown): void;
  reached(): void;
  closed(outcome: TunnelOutcome): void;
  moved(direction: Direction, bytes: number): void;
}

interface Connection {
  readonly client: TLSSocket;
  readonly arrival: Arrival;
  readonly startedAt: number;
  readonly tunnel: Tunnel;
}

/** Carries any protocol: the bytes inside TLS go to the app as they are, and the app's go back. */
export class TcpHandler implements ConnectionHandler {
  readonly #options: TcpOptions;
  readonly #connections = new Set<Connection>();
  #isDraining = false;
  #onChange = () => {};

  constructor(options: TcpOptions) {
    this.#options = options;
  }

  /** None of them speaks HTTP. */
  readonly upgraded = 0;

  get open(): number {
    return this.#connections.size;
  }

  accept(client: TLSSocket, arrival: Arrival): void {
    client.allowHalfOpen = true; // either end may end its half alone
    client.on("error", () => {}); // 'close' follows
    const { idleTimeout, observer } = this.#options;
    if (arrival.refusal !== undefined) observer.refused(arrival);
    if (this.#isDraining || arrival.refusal !== undefined) return arrival.reset();
    const tunnel = new Tunnel(client, arrival, {
      idleTimeout,
      onBytes: (direction, bytes) => observer.moved(direction, bytes),
    });
    const connection = { client, arrival, tunnel, startedAt: performance.now() };
    this.#connections.add(connection);
    void this.#serve(connection).finally(() => {
      this.#connections.delete(connection);
      this.#onChange();
    });
  }

  /**
   * Clients that still wait for the app are aborted. A connection that is idle, which is that the app spoke last and
   * nothing has moved for a second, ends with a goodbye, as a server's own shutdown would end it. All others are waited for.
   */
  async drain(deadline: AbortSignal): Promise<string[]> {
    this.#isDraining = true;
    for (const { tunnel } of this.#connections) if (!tunnel.isOpen) tunnel.abort();
    const over = aborted(deadline);
    while (this.#connections.size > 0 && !deadline.aborted) {
      for (const { tunnel } of this.#connections) if (tunnel.isQuiet(this.#options.quietTime)) tunnel.end();
      const change = new Promise<void>((resolve) => (this.#onChange = resolve));
      await Promise.race([over, change, delay(this.#options.quietTime / 4)]);
    }
    const cutOff = [...this.#connections].map(describe);
    for (const { tunnel } of this.#connections) tunnel.abort();
    return cutOff;
  }

  async #serve({ client, arrival, tunnel }: Connection): Promise<void> {
    const { sendProxyProtocol, observer } = this.#options;
    const upstream = await this.#connect(client, tunnel);
    if (!upstream) return arrival.reset();
    observer.reached();
    if (sendProxyProtocol !== "off") upstream.write(upstreamHeader(sendProxyProtocol, client, arrival));
    observer.closed(await tunnel.open(upstream));
  }

  /** Nothing when the client went away first, or when the app can't be reached. */
  async #connect(client: TLSSocket, { onread }: Tunnel): Promise<Socket | undefined> {
    const { upstream, upstreamWait, connectTimeout, observer } = this.#options;
    const gone = new AbortController();
    const leave = () => gone.abort();
    client.once("close", leave);
    try {
      const socket = await connectWhenUp(upstream, {
        wait: upstreamWait,
        connectTimeout,
        signal: gone.signal,
        allowHalfOpen: true,
        onread,
        onRefused: (error) => observer.waiting(error),
      });
      if (!client.destroyed) return socket;
      abortSocket(socket);
      observer.closed("aborted");
    } catch (error) {
      if (client.destroyed) observer.closed("aborted");
      else observer.away(error);
    } finally {
      client.off("close", leave);
    }
    return undefined;
  }
}

function describe({ arrival: { client }, startedAt, tunnel }: Connection): string {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const { to_app: there, to_client: back } = tunnel.bytes;
  return `connection from ${client?.address ?? "a unix socket"}, ${seconds} s old, ${there} bytes to the app and ${back} back`;
}
