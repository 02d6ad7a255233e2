import { type Address, formatAddress } from "@pillion/kit";
import type { AccessLog } from "./access-log/access-log.ts";
import type { AnswerRules } from "./answers/answer-rules.ts";
import type { ConnectionHandler } from "./front/connection-handler.ts";
import type { HttpProxyEvents } from "./http-proxy/customization.ts";
import type { UpstreamObserver } from "./http-proxy/engine.ts";
import type { HttpProxyHandlerOptions } from "./http-proxy/http-proxy-handler.ts";
import { H2cSessions } from "./h2c/h2c-sessions.ts";
import { Http2Handler } from "./http2/http2-handler.ts";
import { DEFAULT_LIMITS, type RelayLimits, type RelayObserver } from "./relay/relay-options.ts";
import { Relay } from "./relay/relay.ts";
import type { UpstreamAddress } from "./upstream/upstream-address.ts";
import { UpstreamPool } from "./upstream/upstream-pool.ts";

export interface EngineOptions extends Partial<RelayLimits> {
  readonly engine: "relay" | "http-proxy";
  /** Whether the relay's clients may speak HTTP/2. */
  readonly http2: boolean;
  readonly upstreamWait: number;
  readonly connectTimeout: number;
  /** Where the app listens, as the user said it. */
  readonly upstream?: UpstreamAddress | undefined;
  /** Listeners of somebody's own, for the engine http-proxy. */
  readonly attach?: (proxy: HttpProxyEvents) => void;
}

export interface EngineSurroundings {
  readonly app: Address;
  readonly observer: UpstreamObserver & RelayObserver;
  readonly rules: AnswerRules;
  readonly access: Pick<AccessLog, "write"> | undefined;
  /** From when on answers in HTTP/1.1 say `Connection: close`; in HTTP/2 a GOAWAY loses nothing that comes meanwhile. */
  readonly stopping: AbortSignal;
}

/** What serves clients, and what it shares. */
export interface Engines {
  /** By protocol, the preferred one first. */
  readonly handlers: Readonly<Record<string, ConnectionHandler>> & { readonly "http/1.1": ConnectionHandler };
  /** The relay's connections to the app; who has drained the handlers closes it. */
  readonly pool?: UpstreamPool | H2cSessions;
}

/** What carries requests to the app. */
export async function enginesOf(
  options: EngineOptions,
  { app, observer, rules, access, stopping }: EngineSurroundings,
): Promise<Engines> {
  const defaultHost = "path" in app ? "localhost" : formatAddress(app);
  if (options.engine === "http-proxy") {
    // Loaded only where it is asked for.
    const [{ httpProxyEngine }, { HttpProxyHandler }] = await Promise.all([
      import("./http-proxy/engine-on-http-proxy.ts"),
      import("./http-proxy/http-proxy-handler.ts"),
    ]);
    const engine = httpProxyEngine(app, observer, rules, options.attach);
    const limits = limitsOfNode(options);
    const handler = new HttpProxyHandler({ engine, defaultHost, observer, rules, access, limits, stopping });
    return { handlers: { "http/1.1": handler } };
  }
  const { upstreamWait: wait, connectTimeout } = options;
  const toApp = { address: app, wait, connectTimeout, observer };
  const pool = options.upstream?.h2c ? new H2cSessions(toApp) : new UpstreamPool(toApp);
  const limits = { ...DEFAULT_LIMITS, ...options };
  const shared = { pool, defaultHost, observer, rules, access, limits, stopping };
  return {
    handlers: { ...(options.http2 && { h2: new Http2Handler(shared) }), "http/1.1": new Relay(shared) },
    pool,
  };
}

/** Node's names for the limits that its own HTTP server has; it has none for bodies. */
function limitsOfNode(options: EngineOptions): NonNullable<HttpProxyHandlerOptions["limits"]> {
  const { headTimeout, keepAliveTimeout, stallTimeout } = { ...DEFAULT_LIMITS, ...options };
  return { headersTimeout: headTimeout, keepAliveTimeout, stallTimeout };
}
