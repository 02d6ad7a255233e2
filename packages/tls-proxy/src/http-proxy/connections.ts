import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { aborted } from "../aborted.ts";
import { LINGER } from "../front/linger.ts";
import type { ExchangeClient } from "./engine.ts";

/** One request and its answer. */
interface Exchange extends ExchangeClient {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly startedAt: number;
  readonly end: () => void;
  gone: boolean;
  /** Its answer has no end: a drain doesn't wait for it. */
  isEventStream: boolean;
}

/** Which client connections are open, and what is in flight on each of them. */
export class Connections {
  readonly #exchanges = new Map<Socket, Set<Exchange>>();
  readonly #resets = new WeakMap<Socket, () => void>();
  readonly #upgraded = new Set<Socket>();
  #draining = false;
  #onIdle = () => {};
  readonly #stopping: AbortSignal | undefined;

  /** @param stopping aborts when each connection has to end with its next answer */
  constructor(stopping?: AbortSignal) {
    this.#stopping = stopping;
  }

  get open(): number {
    return this.#exchanges.size;
  }

  get upgraded(): number {
    return this.#upgraded.size;
  }

  /** @param reset aborts the TCP connection */
  add(socket: Socket, reset: () => void): void {
    this.#exchanges.set(socket, new Set());
    this.#resets.set(socket, reset);
    socket.once("close", () => {
      this.endExchanges(socket);
      this.#exchanges.delete(socket);
      this.#upgraded.delete(socket);
    });
  }

  /** Starts an exchange, and returns its client. */
  begin(request: IncomingMessage, response: ServerResponse, onEnd: () => void): ExchangeClient {
    const { socket } = request;
    const end = () => {
      if (!this.#exchanges.get(socket)?.delete(exchange)) return;
      exchange.gone = !response.writableFinished;
      if (exchange.gone) exchange.onGone();
      onEnd();
      if (!this.#draining) return;
      if (!this.isBusy(socket)) socket.destroySoon();
      this.#settled();
    };
    const startedAt = performance.now();
    const exchange = { request, response, startedAt, end, gone: false, onGone() {}, isEventStream: false };
    this.#exchanges.get(socket)?.add(exchange);
    response.once("close", end);
    if (this.#draining || this.#stopping?.aborted) response.shouldKeepAlive = false;
    return exchange;
  }

  /** What is in flight on a connection is over, whatever became of it. */
  endExchanges(socket: Socket): void {
    for (const exchange of this.#exchanges.get(socket) ?? []) exchange.end();
  }

  /** The answer to a request turns out to be a stream of events: it counts no more as something to wait for. */
  eventStreamBegins(request: IncomingMessage): void {
    for (const exchange of this.#exchanges.get(request.socket) ?? [])
      if (exchange.request === request) exchange.isEventStream = true;
    this.#settled();
  }

  /**
   * The connection is a tunnel from now on: it counts no more as something to wait for.
   * @param onEnd called when it is closed
   * @returns a signal that aborts when it is closed
   */
  upgrade(socket: Socket, onEnd: () => void): AbortSignal {
    const gone = new AbortController();
    socket.once("close", () => {
      gone.abort();
      onEnd();
    });
    // The other half would stay open for as long as the client likes.
    socket.once("finish", () => socket.setTimeout(LINGER, () => socket.destroy()));
    this.#upgraded.add(socket);
    return gone.signal;
  }

  isBusy(socket: Socket): boolean {
    return (this.#exchanges.get(socket)?.size ?? 0) > 0;
  }

  /** Whether what comes in belongs to the one request in flight, to which nothing was answered yet. */
  isReading(socket: Socket): boolean {
    const [exchange, ...others] = this.#exchanges.get(socket) ?? [];
    return (
      exchange !== undefined && others.length === 0 && !exchange.request.complete && !exchange.response.headersSent
    );
  }

  /** Whether a connection without any traffic waits for its client, and not for the app. */
  waitsForClient(socket: Socket): boolean {
    if (this.#upgraded.has(socket)) return false;
    const waits = ({ request, response }: Exchange) =>
      (!request.complete && !request.isPaused()) || response.writableNeedDrain || response.writableEnded;
    const inFlight = [...(this.#exchanges.get(socket) ?? [])];
    return inFlight.length === 0 || inFlight.some(waits);
  }

  /**
   * Lets what is in flight end with `Connection: close`, then closes the upgraded and breaks off streams of events. What is idle at the start, Node's own
   * `server.close()` ends.
   * @returns what was still in flight at the deadline, one line each
   */
  async drain(deadline: AbortSignal): Promise<string[]> {
    this.#draining = true;
    for (const exchanges of this.#exchanges.values())
      for (const { response } of exchanges) response.shouldKeepAlive = false;
    if (this.#awaited().length > 0)
      await Promise.race([new Promise<void>((resolve) => (this.#onIdle = resolve)), aborted(deadline)]);
    const cutOff = this.#awaited().map(describe);
    for (const [socket, exchanges] of this.#exchanges) {
      // A goodbye would make half an answer look whole; to HTTP/1.0, which may have no length and no chunks, any end does.
      if ([...exchanges].some(({ request }) => request.httpVersion === "1.0")) this.#resets.get(socket)?.();
      else if (exchanges.size > 0) socket.destroy();
      else socket.destroySoon();
      // At once: what follows from it is nobody's failure.
      this.endExchanges(socket);
    }
    return cutOff;
  }

  #settled(): void {
    if (this.#draining && this.#awaited().length === 0) this.#onIdle();
  }

  /** What a drain waits for. What is pipelined behind a stream of events will never be answered. */
  #awaited(): Exchange[] {
    return [...this.#exchanges.values()].flatMap((all) => {
      const exchanges = [...all];
      const endless = exchanges.findIndex(({ isEventStream }) => isEventStream);
      return endless < 0 ? exchanges : exchanges.slice(0, endless);
    });
  }
}

/** The path without its query, which may hold secrets. */
function describe({ request, startedAt }: Exchange): string {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  return `${request.method} ${request.url?.replace(/\?.*$/, "")} from ${request.socket.remoteAddress}, ${seconds} s old`;
}
