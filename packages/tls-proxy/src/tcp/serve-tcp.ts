import { type Address, type Context, type Logger, formatAddress, messageOf, systemCode } from "@pillion/kit";
import type { Certificates } from "../certificates/certificates.ts";
import { errors } from "../errors.ts";
import type { Arrival } from "../front/arrivals.ts";
import type { ProxyProtocolOptions } from "../front/gate-before.ts";
import { Front } from "../front/front.ts";
import { addFrontMetrics, tcpObservers } from "../metrics.ts";
import { TcpHandler, type TcpObserver, type TcpOptions } from "./tcp-handler.ts";

export interface ServeTcpOptions extends Pick<
  TcpOptions,
  "upstream" | "sendProxyProtocol" | "upstreamWait" | "connectTimeout" | "idleTimeout"
> {
  readonly alpn: readonly string[];
  readonly proxyProtocol: ProxyProtocolOptions | undefined;
  readonly maxConnections: number;
}

/** Puts `--mode tcp` together: the front with its byte pipe, counted and told of in health and log. */
export function serveTcp(
  certificates: Certificates,
  { alpn, proxyProtocol, maxConnections, ...tcp }: ServeTcpOptions,
  { metrics, health, log }: Pick<Context, "metrics" | "health" | "log">,
): Front {
  const counted = tcpObservers(metrics);
  const refused = (arrival: Arrival) => logRefused(log, arrival);
  const observer = { ...counted, ...watchApp(tcp.upstream, health, log, counted), refused };
  const handler = new TcpHandler({ ...tcp, quietTime: 1_000, observer });
  const handlers = Object.fromEntries(alpn.map((protocol) => [protocol, handler]));
  const front = new Front({
    certificates,
    handlers,
    otherwise: handler,
    proxyProtocol,
    maxConnections,
    observer: counted,
  });
  addFrontMetrics(metrics, front);
  return front;
}

export function connectionsCutOff(cutOff: readonly string[]): Error {
  const reason = `${cutOff.length} still at work when the time-out ended, cut off: ${cutOff.slice(0, 10).join("; ")}`;
  return errors.CONNECTIONS_CUT_OFF({ subject: "connections", reason, remedy: "Raise --shutdown-timeout" });
}

/** Longer than any subject that people give; who wasn't let in shall not fill the log. */
const MAX_SUBJECT = 192;

/** There is no answer that could tell the client. The log itself counts what repeats, and doesn't write each. */
function logRefused(
  log: Logger,
  { client, clientSubject: subject, refusedFingerprint: fingerprint, refusal }: Arrival,
) {
  const cut = subject !== undefined && subject.length > MAX_SUBJECT ? `${subject.slice(0, MAX_SUBJECT)}...` : subject;
  log.warn(
    { client: client?.address, subject: cut, fingerprint, reason: refusal },
    "a client was aborted for its certificate, or the lack of one",
  );
}

type AppWatch = Pick<TcpObserver, "waiting" | "away" | "reached">;

function watchApp(app: Address, health: Context["health"], log: Logger, counted: TcpObserver): AppWatch {
  const condition = health.condition("app");
  const degraded = (error: unknown) =>
    condition.degraded(
      `nothing answers at ${formatAddress(app)} (${systemCode(error)}); clients are held until it does`,
    );
  return {
    waiting: degraded,
    away(error) {
      counted.away(error);
      degraded(error);
      log.warn({ error: messageOf(error) }, "the app can't be reached, and its client was let go");
    },
    reached() {
      condition.ok();
    },
  };
}
