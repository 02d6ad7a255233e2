import { type Address, formatAddress } from "@pillion/kit";
import type { AccessLog } from "./access-log/access-log.ts";
import type { AnswerRules } from "./answers/answer-rules.ts";
import type { ConnectionHandler } from "./front/connection-handler.ts";
import type { UpstreamObserver } from "./http-proxy/engine.ts";
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
  /** Where the app listens, as the user said it. */
  readonly upstream?: UpstreamAddress | undefined;
}

export interface EngineSurroundings {
  readonly app: Address;
  readonly observer: UpstreamObserver & RelayObserver;
  readonly rules: AnswerRules;
  readonly access: Pick<AccessLog, "write"> | undefined;
}

/** What serves clients, by protocol, the preferred one first. */
export type Engines = Readonly<Record<string, ConnectionHandler>> & { readonly "http/1.1": ConnectionHandler };

/** What carries requests to the app. */
export async function enginesOf(
  options: EngineOptions,
  { app, observer, rules, access }: EngineSurroundings,
): Promise<Engines> {
  const defaultHost = "path" in app ? "localhost" : formatAddress(app);
  if (options.engine === "http-proxy") {
    // Loaded only where it is asked for.
    const [{ httpProxyEngine }, { HttpProxyHandler }] = await Promise.all([
      import("./http-proxy/engine-on-http-proxy.ts"),
      import("./http-proxy/http-proxy-handler.ts"),
    ]);
    const engine = httpProxyEngine(app, observer);
    return { "http/1.1": new HttpProxyHandler({ engine, defaultHost, observer, rules, access }) };
  }
  const toApp = { address: app, wait: options.upstreamWait, observer };
  const pool = options.upstream?.h2c ? new H2cSessions(toApp) : new UpstreamPool(toApp);
  const limits = { ...DEFAULT_LIMITS, ...options };
  const shared = { pool, defaultHost, observer, rules, access, limits };
  return { ...(options.http2 && { h2: new Http2Handler(shared) }), "http/1.1": new Relay(shared) };
}
