import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { connectWhenUp } from "../upstream/connect-when-up.ts";
import type { Upstream, Upstreams } from "../upstream/upstream.ts";
import type { UpstreamPoolOptions } from "../upstream/upstream-pool.ts";
import { H2cUpstream } from "./h2c-upstream.ts";

/** Connections to an app that speaks HTTP/2 without TLS; another one when all have as many streams as the app takes. */
export class H2cSessions implements Upstreams {
  readonly #options: UpstreamPoolOptions;
  readonly #sessions = new Map<ClientHttp2Session, { streams: number }>();
  #opening: Promise<void> | undefined;

  constructor(options: UpstreamPoolOptions) {
    this.#options = options;
  }

  take(): Upstream | undefined {
    for (const [session, load] of this.#sessions) {
      if (session.closed || session.destroyed) continue;
      if (load.streams < (session.remoteSettings.maxConcurrentStreams ?? Infinity))
        return new H2cUpstream(session, load);
    }
    return undefined;
  }

  connect(use: (upstream: Upstream) => void, fail: (error: Error) => void): () => void {
    let wanted = true;
    const found = (): void => {
      const upstream = this.take();
      if (!wanted) return;
      if (upstream !== undefined) use(upstream);
      else void this.#open().then(found, failed);
    };
    const failed = (error: Error): void => {
      if (wanted) fail(error);
    };
    void this.#open().then(found, failed);
    return () => (wanted = false);
  }

  /** Connections end with their last stream. */
  close(): void {
    for (const session of this.#sessions.keys()) session.close();
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
    this.#sessions.set(session, { streams: 0 });
    session.once("close", () => this.#sessions.delete(session));
  }
}

/** The memory (MB) is for requests that the app hasn't taken yet. */
const SESSION = { settings: { enablePush: false, initialWindowSize: 256 * 1024 }, maxSessionMemory: 64 };
