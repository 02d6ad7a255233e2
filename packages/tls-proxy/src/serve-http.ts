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
import type { Certificates } from "./certificates/certificates.ts";
import { type Cidr, isTrusted } from "./cidr-list.ts";
import { type EngineOptions, engineOf } from "./engines.ts";
import { errors } from "./errors.ts";
import type { ProxyProtocolOptions } from "./front/gate-before.ts";
import { Front } from "./front/front.ts";
import type { UpstreamObserver } from "./http-proxy/engine.ts";
import { addFrontMetrics, observers } from "./metrics.ts";

export interface ServeHttpOptions extends EngineOptions, AnswerOptions {
  readonly trustForwarded: readonly Cidr[];
  readonly maxConnections: number;
  readonly proxyProtocol: ProxyProtocolOptions | undefined;
  readonly access: Pick<AccessLog, "write"> | undefined;
}

export interface ServedHttp {
  readonly front: Front;
  readonly observer: UpstreamObserver;
}

/** Puts `--mode http` together: the front with its engine, counted and told of in health and log. */
export async function serveHttp(
  certificates: Certificates,
  options: ServeHttpOptions,
  { metrics, health, log }: Pick<Context, "metrics" | "health" | "log">,
): Promise<ServedHttp> {
  const { app, access, proxyProtocol, maxConnections } = options;
  const counted = observers(metrics);
  const observer = { ...counted, ...watchApp(app, health, log, counted) };
  const engine = await engineOf(options, { app, observer, access, rules: answerRules(options) });
  const front = new Front({
    certificates,
    // HTTP/1.0 by its own name is what curl --http1.0 asks for.
    handlers: { "http/1.1": engine, "http/1.0": engine },
    otherwise: engine,
    observer,
    proxyProtocol,
    trusted: isTrusted(options.trustForwarded),
    maxConnections,
  });
  addFrontMetrics(metrics, front);
  return { front, observer };
}

export function requestsCutOff(cutOff: readonly string[]): Error {
  const reason = `${cutOff.length} still in flight when the time-out ended, cut off: ${cutOff.slice(0, 10).join("; ")}`;
  return errors.REQUESTS_CUT_OFF({ subject: "requests", reason, remedy: "Raise --shutdown-timeout" });
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
      log.warn({ error: messageOf(error) }, "the app broke off a request, or its answer is not HTTP");
    },
    reached() {
      counted.reached();
      condition.ok();
    },
  };
}
