import {
  type Address,
  type Context,
  type Health,
  type Logger,
  formatAddress,
  messageOf,
  systemCode,
} from "@pillion/kit";
import type { AccessLog } from "./access-log/access-log.ts";
import { type AnswerOptions, answerRules } from "./answers/answer-rules.ts";
import { PLAIN_HTTP, answerOnSocket } from "./answers/own-answer.ts";
import type { Certificates } from "./certificates/certificates.ts";
import { type Cidr, isTrusted } from "./cidr-list.ts";
import { type EngineOptions, enginesOf } from "./engines.ts";
import { errors } from "./errors.ts";
import type { ProxyProtocolOptions } from "./front/gate-before.ts";
import { Front } from "./front/front.ts";
import type { UpstreamObserver } from "./http-proxy/engine.ts";
import { ListenerError } from "./http-proxy/listener-error.ts";
import { UpstreamPool } from "./upstream/upstream-pool.ts";
import { addFrontMetrics, addPoolMetrics, observers } from "./metrics.ts";

export interface ServeHttpOptions extends EngineOptions, AnswerOptions {
  readonly trustForwarded: readonly Cidr[];
  readonly maxConnections: number;
  readonly proxyProtocol: ProxyProtocolOptions | undefined;
  readonly access: Pick<AccessLog, "write"> | undefined;
}

export interface ServedHttp {
  readonly front: Front;
  readonly observer: UpstreamObserver;
  /** Ends it all. @returns what was cut off at the deadline, one line each */
  drain(deadline: AbortSignal): Promise<string[]>;
}

/** Puts `--mode http` together: the front with its engine, counted and told of in health and log. */
export async function serveHttp(
  certificates: Certificates,
  options: ServeHttpOptions,
  { metrics, health, log, stopping }: Pick<Context, "metrics" | "health" | "log" | "stopping">,
): Promise<ServedHttp> {
  const { app, access, proxyProtocol, maxConnections } = options;
  const observer = observeApp(app, { metrics, health, log });
  const rules = answerRules(options);
  const { handlers, pool } = await enginesOf(options, { app, observer, access, rules, stopping });
  const front = new Front({
    certificates,
    // A client told to speak HTTP/1.0 says so by ALPN too (curl --http1.0), and would be refused in the handshake.
    handlers: { ...handlers, "http/1.0": handlers["http/1.1"] },
    otherwise: handlers["http/1.1"],
    observer,
    onPlainHttp: (socket) => answerOnSocket(undefined, socket, PLAIN_HTTP),
    proxyProtocol,
    trusted: isTrusted(options.trustForwarded),
    maxConnections,
  });
  addFrontMetrics(metrics, front);
  if (pool instanceof UpstreamPool) addPoolMetrics(metrics, pool);
  return {
    front,
    observer,
    async drain(deadline) {
      const cutOff = await front.drain(deadline);
      pool?.close();
      return cutOff;
    },
  };
}

export function requestsCutOff(cutOff: readonly string[]): Error {
  const reason = `${cutOff.length} still in flight when the time-out ended, cut off: ${cutOff.slice(0, 10).join("; ")}`;
  return errors.REQUESTS_CUT_OFF({ subject: "requests", reason, remedy: "Raise --shutdown-timeout" });
}

/** Counts what front and engine tell, and has health and log tell of the app. */
export function observeApp(app: Address, { metrics, health, log }: Pick<Context, "metrics" | "health" | "log">) {
  const counted = observers(metrics);
  return { ...counted, ...watchApp(app, health, log, counted) };
}

/** Health and log on top of the counts: that the app is away is a state, that it broke off an incident. */
function watchApp(app: Address, health: Health, log: Logger, counted: UpstreamObserver): UpstreamObserver {
  const condition = health.condition("app");
  return {
    away(error) {
      counted.away(error);
      condition.degraded(
        `nothing answers at ${formatAddress(app)} (${systemCode(error)}); requests wait, and get 503 in the end`,
      );
    },
    failed(error) {
      counted.failed(error);
      const reason = messageOf(error);
      // The log counts what repeats by its text: each reason is shown.
      const isOurs = error instanceof ListenerError;
      log.warn(
        { error: reason },
        isOurs ? reason : `the app broke off a request, or its answer is not HTTP: ${reason}`,
      );
    },
    reached() {
      counted.reached();
      condition.ok();
    },
  };
}
