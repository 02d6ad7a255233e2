import type { OnReadOpts, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { readDirectly } from "../relay/read-directly.ts";
import type { Arrival } from "../front/arrivals.ts";

export interface TunnelOptions {
  /** How long nothing may move before both ends are aborted, milliseconds; 0 is for ever. */
  readonly idleTimeout: number;
  /** Bytes came from the client, or from the app. */
  readonly onBytes: (direction: Direction, bytes: number) => void;
}

export type Direction = "to_app" | "to_client";

/** How a tunnel came to its end: both sides said so, one broke off, or nothing moved for too long. */
export type TunnelOutcome = "ended" | "aborted" | "idle";

/**
 * Bytes from a client to the app and back, each way at the pace of the one who reads. The end of one direction is passed
 * on and the other goes on; what breaks off at one side breaks off at the other, and never looks like an end.
 */
export class Tunnel {
  /** How the socket to the app has to read. */
  readonly onread: OnReadOpts = { buffer: () => RECEIVED, callback: (length) => this.#receive(length) };
  readonly #client: TLSSocket;
  readonly #arrival: Arrival;
  readonly #options: TunnelOptions;
  readonly #bytes = { to_app: 0, to_client: 0 };
  #upstream: Socket | undefined;
  #last: Direction = "to_client";
  #lastAt = performance.now();
  #isIdle = false;
  #isEnding = false;

  constructor(client: TLSSocket, arrival: Arrival, options: TunnelOptions) {
    this.#client = client;
    this.#arrival = arrival;
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#upstream !== undefined;
  }

  get bytes(): Readonly<Record<Direction, number>> {
    return this.#bytes;
  }

  /** Joins both sides, and resolves when both are closed. */
  async open(upstream: Socket): Promise<TunnelOutcome> {
    const client = this.#client;
    this.#upstream = upstream;
    upstream.on("error", () => {}); // 'close' follows
    for (const side of [client, upstream]) side.once("close", () => this.#isEnding || isComplete(side) || this.abort());
    // Whatever moves passes the app's socket, so its timer is enough.
    upstream.setTimeout(this.#options.idleTimeout, () => {
      this.#isIdle = true;
      this.abort();
    });
    this.#pumpToApp(upstream);
    client.on("drain", () => upstream.resume());
    upstream.once("end", () => client.end()).resume();
    const complete = await Promise.all([closing(client), closing(upstream)]);
    if (this.#isIdle) return "idle";
    return this.#isEnding || !complete.includes(false) ? "ended" : "aborted";
  }

  /** Nothing moved for this long, milliseconds, nobody waits for the app, and nothing waits to be read. */
  isQuiet(duration: number): boolean {
    const queued = this.#client.writableLength + (this.#upstream?.writableLength ?? 0);
    const isClientsTurn = this.isOpen && this.#last === "to_client" && queued === 0;
    return isClientsTurn && performance.now() - this.#lastAt >= duration;
  }

  /** Says goodbye to both sides. */
  end(): void {
    this.#isEnding = true;
    for (const socket of [this.#client, this.#upstream]) socket?.destroySoon();
  }

  abort(): void {
    this.#arrival.reset();
    if (this.#upstream) abortSocket(this.#upstream);
  }

  #pumpToApp(upstream: Socket): void {
    readDirectly(this.#client, (bytes) => {
      if (upstream.writableEnded) return;
      this.#moved("to_app", bytes.length);
      if (!upstream.write(bytes)) this.#client.pause();
    });
    upstream.on("drain", () => this.#client.resume());
    this.#client.once("end", () => upstream.end());
  }

  /** @returns whether to go on reading */
  #receive(length: number): boolean {
    if (this.#client.writableEnded) return true;
    this.#moved("to_client", length);
    const bytes = RECEIVED.subarray(0, length);
    // With nothing queued OpenSSL encrypts within this call, and the buffer is free again. What has to queue is copied.
    return this.#client.write(this.#client.writableLength === 0 ? bytes : Buffer.from(bytes));
  }

  #moved(direction: Direction, bytes: number): void {
    this.#bytes[direction] += bytes;
    this.#last = direction;
    this.#lastAt = performance.now();
    this.#options.onBytes(direction, bytes);
  }
}

/**
 * Where all that apps send is read into, for all connections: what is read goes on before the next read. A buffer for
 * each read, Node's own way, took half as much CPU time again (measured: 650 MiB a CPU second against 1,000).
 */
const RECEIVED = Buffer.allocUnsafeSlow(64 * 1024);

/** Ends with RST where there is one; a unix socket has none. */
export function abortSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

/** @returns whether it ended both ways */
async function closing(socket: Socket): Promise<boolean> {
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return isComplete(socket);
}

function isComplete(socket: Socket): boolean {
  return socket.readableEnded && socket.writableFinished && !socket.errored;
}
