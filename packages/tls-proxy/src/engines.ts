import { type Address, formatAddress } from "@pillion/kit";
import type { AccessLog } from "./access-log/access-log.ts";
import type { AnswerRules } from "./answers/answer-rules.ts";
import type { ConnectionHandler } from "./front/connection-handler.ts";
import type { UpstreamObserver } from "./http-proxy/engine.ts";
import type { HttpProxyHandlerOptions } from "./http-proxy/http-proxy-handler.ts";
import { DEFAULT_LIMITS, type RelayLimits, type RelayObserver } from "./relay/relay-options.ts";
import { Relay } from "./relay/relay.ts";
import { UpstreamPool } from "./upstream/upstream-pool.ts";

export interface EngineOptions extends Partial<RelayLimits> {
  readonly engine: "relay" | "http-proxy";
  readonly upstreamWait: number;
  readonly connectTimeout: number;
}

export interface EngineSurroundings {
  readonly app: Address;
  readonly observer: UpstreamObserver & RelayObserver;
  readonly rules: AnswerRules;
  readonly access: Pick<AccessLog, "write"> | undefined;
}

/** What carries HTTP/1.1 to the app. */
export async function engineOf(
  options: EngineOptions,
  { app, observer, rules, access }: EngineSurroundings,
): Promise<ConnectionHandler> {
  const defaultHost = "path" in app ? "localhost" : formatAddress(app);
  if (options.engine === "http-proxy") {
    // Loaded only where it is asked for.
    const [{ httpProxyEngine }, { HttpProxyHandler }] = await Promise.all([
      import("./http-proxy/engine-on-http-proxy.ts"),
      import("./http-proxy/http-proxy-handler.ts"),
    ]);
    const engine = httpProxyEngine(app, observer, rules);
    return new HttpProxyHandler({ engine, defaultHost, observer, rules, access, limits: limitsOfNode(options) });
  }
  const pool = new UpstreamPool({
    address: app,
    wait: options.upstreamWait,
    connectTimeout: options.connectTimeout,
    observer,
  });
  return new Relay({
    pool,
    defaultHost,
    observer,
    rules,
    access,
    limits: { ...DEFAULT_LIMITS, ...options },
  });
}

/** Node's names for the limits that its own HTTP server has; it has none for bodies. */
function limitsOfNode(options: EngineOptions): NonNullable<HttpProxyHandlerOptions["limits"]> {
  const { headTimeout, keepAliveTimeout, stallTimeout } = { ...DEFAULT_LIMITS, ...options };
  return { headersTimeout: headTimeout, keepAliveTimeout, stallTimeout };
}
