import { once } from "node:events";
import { connect } from "node:http2";
import { connectWhenUp } from "../upstream/connect-when-up.ts";
import type { Upstream, Upstreams } from "../upstream/upstream.ts";
import type { UpstreamPoolOptions } from "../upstream/upstream-pool.ts";
import { H2cUpstream } from "./h2c-upstream.ts";
import type { H2cSession, SessionSource } from "./session-source.ts";

/** Connections to an app that speaks HTTP/2 without TLS; another one when all have as many streams as the app takes. */
export class H2cSessions implements Upstreams, SessionSource {
  readonly #options: UpstreamPoolOptions;
  readonly #sessions = new Set<H2cSession>();
  #opening: Promise<void> | undefined;

  constructor(options: UpstreamPoolOptions) {
    this.#options = options;
  }

  get wait(): number {
    return this.#options.wait;
  }

  take(): Upstream | undefined {
    const free = this.#free();
    return free && new H2cUpstream(free, this);
  }

  connect(use: (upstream: Upstream) => void, fail: (error: Error) => void): () => void {
    return this.find((session) => use(new H2cUpstream(session, this)), fail);
  }

  find(use: (session: H2cSession) => void, fail: (error: Error) => void): () => void {
    let wanted = true;
    const look = (): void => {
      if (!wanted) return;
      const free = this.#free();
      if (free !== undefined) use(free);
      else void this.#open().then(look, failed);
    };
    const failed = (error: Error): void => {
      if (wanted) fail(error);
    };
    look();
    return () => (wanted = false);
  }

  /** Connections end with their last stream. */
  close(): void {
    for (const { session } of this.#sessions) session.close();
  }

  /** One that takes another stream. */
  #free(): H2cSession | undefined {
    for (const one of this.#sessions) {
      const { session } = one;
      if (session.closed || session.destroyed) continue;
      if (one.streams < (session.remoteSettings.maxConcurrentStreams ?? Infinity)) return one;
    }
    return undefined;
  }

  /** One at a time, for all that wait. */
  async #open(): Promise<void> {
    this.#opening ??= this.#openOne().finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  async #openOne(): Promise<void> {
    const { address, wait, connectTimeout, observer } = this.#options;
    const onRefused = (error: unknown) => observer.away(error as Error);
    const signal = new AbortController().signal; // others may wait for it, too
    const socket = await connectWhenUp(address, { wait, connectTimeout, signal, onRefused });
    // The name is only for Node: each request has its own.
    const session = connect("http://localhost", { ...SESSION, createConnection: () => socket });
    session.on("error", () => {}); // its streams hear of it
    try {
      await once(session, "remoteSettings", { signal: AbortSignal.timeout(connectTimeout) });
    } catch (cause) {
      session.destroy();
      const error = Object.assign(new Error("it doesn't speak HTTP/2", { cause }), { code: "EPROTO" });
      observer.away(error);
      throw error;
    }
    const opened = { session, streams: 0 };
    this.#sessions.add(opened);
    session.once("close", () => this.#sessions.delete(opened));
  }
}

/** The memory (MB) is for requests that the app hasn't taken yet. */
const SESSION = { settings: { enablePush: false, initialWindowSize: 256 * 1024 }, maxSessionMemory: 64 };
