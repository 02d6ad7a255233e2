import { once } from "node:events";
import { type OnReadOpts, type Socket, connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Address, backoff, systemCode } from "@pillion/kit";

export interface ConnectOptions {
  /** How long to go on asking while nothing listens at the address, milliseconds. */
  readonly wait: number;
  /** How long one attempt may take, milliseconds. */
  readonly connectTimeout: number;
  /** The client went away: rejects with an AbortError. */
  readonly signal: AbortSignal;
  /** Whether the socket keeps its half open when the app ends its own. */
  readonly allowHalfOpen?: boolean;
  /** Reads into a buffer of the caller's, instead of 'data' events. */
  readonly onread?: OnReadOpts;
  /** Called at each attempt that found nobody listening. */
  readonly onRefused?: (error: unknown) => void;
}

/**
 * Connects to the app, and holds on while it isn't up yet: at a start, or between two runs.
 *
 * @throws the last attempt's system error: ECONNREFUSED or ENOENT when the wait was over, ETIMEDOUT, or any other at once
 */
export async function connectWhenUp(address: Address, options: ConnectOptions): Promise<Socket> {
  const { wait, signal, onRefused } = options;
  const giveUpAt = performance.now() + wait;
  for (let failures = 1; ; failures++) {
    try {
      return await connectOnce(address, options);
    } catch (error) {
      if (signal.aborted || !NOBODY_LISTENS.has(systemCode(error) ?? "")) throw error;
      onRefused?.(error);
      const left = giveUpAt - performance.now();
      if (left <= 0) throw error;
      await delay(Math.min(backoff(failures, PAUSE), left), undefined, { signal });
    }
  }
}

/** ENOENT: a unix socket whose file isn't there yet. */
const NOBODY_LISTENS = new Set(["ECONNREFUSED", "ENOENT"]);
/** Milliseconds. The app is on this machine: asking is cheap, and what waits is a person. */
const PAUSE = { base: 20, cap: 250 };
/** Milliseconds, before ten probes a second apart (libuv's): an app that vanishes without a word is found gone. */
const KEEP_ALIVE_DELAY = 30_000;

async function connectOnce(address: Address, options: ConnectOptions): Promise<Socket> {
  const { connectTimeout, signal, onread, allowHalfOpen = false } = options;
  const socket = connect({
    ...address,
    allowHalfOpen,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY,
    ...(onread && { onread }),
  });
  socket.setTimeout(connectTimeout, () => socket.destroy(timedOut(connectTimeout)));
  try {
    await once(socket, "connect", { signal });
    return socket.setTimeout(0).removeAllListeners("timeout");
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function timedOut(connectTimeout: number): Error {
  return Object.assign(new Error(`no connection within ${connectTimeout} ms`), { code: "ETIMEDOUT" });
}
