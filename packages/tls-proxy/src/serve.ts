import { type Address, type Context, listen as listenOn, reachable } from "@pillion/kit";
import type { AccessLog } from "./access-log/access-log.ts";
import { Certificates } from "./certificates/certificates.ts";
import type { TicketKeys } from "./certificates/ticket-keys.ts";
import { type Cidr, isTrusted } from "./cidr-list.ts";
import type { Front } from "./front/front.ts";
import type { ProxyProtocolOptions } from "./front/gate-before.ts";
import type { UpstreamObserver } from "./http-proxy/engine.ts";
import { addCertificateMetrics, certificatesObserver, proxyHeaderCounter } from "./metrics.ts";
import { serveHttp } from "./serve-http.ts";
import { serveTcp } from "./tcp/serve-tcp.ts";
import type { OptionValues } from "./workers/plain-values.ts";

/** What serves on `--listen`: this process, or several workers of its. */
export interface Serving {
  readonly address: Address;
  /** What hears of the app, in `--mode http`. */
  readonly observer?: UpstreamObserver | undefined;
  /** Rejects when it can't go on. */
  readonly failed?: Promise<void>;
  reload(): Promise<void>;
  /** @returns what was still in flight at the deadline and is cut off, one line each */
  drain(deadline: AbortSignal): Promise<readonly string[]>;
}

export type ServingContext = Pick<Context, "stopping" | "signal" | "log" | "metrics" | "health">;

/** What a process that serves has from outside. */
export interface ServeOptions {
  readonly access: Pick<AccessLog, "write"> | undefined;
  /** Shared with other processes that serve the same port. Default: this one's own. */
  readonly tickets?: TicketKeys;
  /** Whether other processes serve the same port. */
  readonly reusePort?: boolean;
}

/** Serves in this process. @throws CERTIFICATE_…, CLIENT_CA_…, STATE_DIRECTORY_NOT_WRITABLE, LISTEN_FAILED */
export async function serve(
  values: OptionValues,
  context: ServingContext,
  { access, tickets, reusePort }: ServeOptions,
): Promise<Serving> {
  const { log, metrics, health } = context;
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  const observer = certificatesObserver(metrics);
  const certificates = await Certificates.open(values, {
    log,
    health,
    signal,
    observer,
    ...(tickets && { ticketKeys: tickets }),
  });
  addCertificateMetrics(metrics, () => certificates.inForce);
  const shared = { ...values, proxyProtocol: proxyProtocolRule(values.proxyProtocolFrom, context) };
  const app = appOf(values);
  const served: { front: Front; observer?: UpstreamObserver; drain: Serving["drain"] } =
    values.mode === "tcp"
      ? tcpServed(serveTcp(certificates, { ...shared, upstream: app }, context))
      : await serveHttp(certificates, { ...shared, app, access }, context);
  const address = await listenOn(served.front.listener, values.listen, "--listen", reusePort);
  return {
    address,
    observer: served.observer,
    reload: () => certificates.reload(),
    async drain(deadline) {
      ended.abort();
      const cutOff = await served.drain(deadline);
      await certificates.closed();
      return cutOff;
    },
  };
}

const tcpServed = (front: Front) => ({ front, drain: (deadline: AbortSignal) => front.drain(deadline) });

/** Where the app listens. */
export function appOf({ upstream, appPort = 0 }: Pick<OptionValues, "upstream" | "appPort">): Address {
  return reachable(upstream ?? { host: "127.0.0.1", port: appPort });
}

function proxyProtocolRule(
  from: readonly Cidr[],
  { metrics, log }: Pick<Context, "metrics" | "log">,
): ProxyProtocolOptions | undefined {
  if (from.length === 0) return undefined;
  const countRefused = proxyHeaderCounter(metrics);
  return {
    requiredFrom: isTrusted(from),
    onRefused(peer, reason) {
      countRefused();
      log.warn({ peer, reason }, "a connection was aborted for its PROXY header");
    },
  };
}
