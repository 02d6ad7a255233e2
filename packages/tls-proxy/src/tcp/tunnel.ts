import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Arrival } from "../front/arrivals.ts";

/** The two ends of a tunnel. */
export interface TunnelEnds {
  readonly client: TLSSocket;
  readonly arrival: Arrival;
  readonly upstream: Socket;
}

export interface TunnelOptions {
  /** How long nothing may move before both ends are aborted, milliseconds; 0 is for ever. */
  readonly idleTimeout: number;
  /** Bytes went on to the app, or back to the client. */
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
  readonly closed: Promise<TunnelOutcome>;
  readonly #ends: TunnelEnds;
  readonly #bytes = { to_app: 0, to_client: 0 };
  #last: Direction = "to_client";
  #lastAt = performance.now();
  #isIdle = false;
  #isEnding = false;

  constructor(ends: TunnelEnds, { idleTimeout, onBytes }: TunnelOptions) {
    this.#ends = ends;
    const { client, upstream } = ends;
    const moved = (direction: Direction) => (bytes: number) => {
      this.#bytes[direction] += bytes;
      this.#last = direction;
      this.#lastAt = performance.now();
      onBytes(direction, bytes);
    };
    this.closed = Promise.all([closing(client), closing(upstream)]).then(([clientEnded, upstreamEnded]) => {
      if (this.#isIdle) return "idle";
      return this.#isEnding || (clientEnded && upstreamEnded) ? "ended" : "aborted";
    });
    upstream.on("error", () => {}); // 'close' follows
    for (const end of [client, upstream]) end.once("close", () => this.#isEnding || isComplete(end) || this.abort());
    // Whatever moves passes the app's socket, so its timer is enough.
    upstream.setTimeout(idleTimeout, () => {
      this.#isIdle = true;
      this.abort();
    });
    pump(client, upstream, moved("to_app"));
    pump(upstream, client, moved("to_client"));
  }

  get bytes(): Readonly<Record<Direction, number>> {
    return this.#bytes;
  }

  /** Nothing moved for this long, milliseconds, and nobody waits for the app: what moved last came from it. */
  isQuiet(duration: number): boolean {
    return this.#last === "to_client" && performance.now() - this.#lastAt >= duration;
  }

  /** Says goodbye to both sides. */
  end(): void {
    this.#isEnding = true;
    for (const socket of [this.#ends.client, this.#ends.upstream]) socket.destroySoon();
  }

  abort(): void {
    this.#ends.arrival.reset();
    abortSocket(this.#ends.upstream);
  }
}

/** Ends with RST where there is one; a unix socket has none. */
export function abortSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

function pump(from: Socket, to: Socket, moved: (bytes: number) => void): void {
  from.on("data", (bytes: Buffer) => {
    moved(bytes.length);
    if (!to.write(bytes)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.once("end", () => to.end());
}

/** @returns whether it ended both ways */
async function closing(socket: Socket): Promise<boolean> {
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return isComplete(socket);
}

function isComplete(socket: Socket): boolean {
  return socket.readableEnded && socket.writableFinished && !socket.errored;
}
