import type { Server } from "node:net";
import {
  type Address,
  type Context,
  type Health,
  type Logger,
  defineSidecar,
  formatAddress,
  listen as listenOn,
  messageOf,
  reachable,
  repeat,
  systemCode,
} from "@pillion/kit";
import type { CertificatePair } from "./certificate.ts";
import { CertificateKeeper } from "./certificate-keeper.ts";
import { certificateSource } from "./certificate-source.ts";
import { type Cidr, isTrusted } from "./cidr-list.ts";
import type { UpstreamObserver } from "./engine.ts";
import { errors } from "./errors.ts";
import type { ProxyProtocolOptions } from "./front/gate-before.ts";
import { Front } from "./front.ts";
import { httpProxyEngine } from "./http-proxy-engine.ts";
import { identity } from "./identity.ts";
import { addCertificateMetrics, addFrontMetrics, observers, proxyHeaderCounter } from "./metrics.ts";
import { options } from "./options.ts";
import { type ServeTcpOptions, connectionsCutOff, serveTcp } from "./tcp/serve-tcp.ts";

const HOUR = 3_600_000;

/** Serves an app's plain HTTP as HTTPS, or with `mode: "tcp"` any other protocol of its inside TLS. */
export const tlsProxy = defineSidecar(
  identity,
  options,
  ({ listen, upstream, appPort = 0, mode, proxyProtocolFrom, ...others }) => ({
    async start(context) {
      const { signal, log, metrics, health } = context;
      const app = reachable(upstream ?? { host: "127.0.0.1", port: appPort });
      const source = certificateSource(others, log);
      const first = await source.load(new Date());
      log.info(
        { subject: first.subject, fingerprint: first.fingerprint, notAfter: first.notAfter },
        "certificate in force",
      );
      const proxyProtocol = proxyProtocolRule(proxyProtocolFrom, context);
      const served =
        mode === "tcp"
          ? tcpServed(first, { ...others, upstream: app, proxyProtocol }, context)
          : httpServed(first, { app, proxyProtocol }, context);
      const certificate = new CertificateKeeper(source, first, { log, health }, (pair) =>
        served.replaceCertificate(pair),
      );
      addCertificateMetrics(metrics, () => certificate.current.notAfter);
      const address = await listenOn(served.server, listen, "--listen");
      const checks = repeat(HOUR, { signal, health: health.condition("validity") }, () =>
        certificate.check(new Date()),
      );
      return {
        addresses: { [mode === "tcp" ? "tls" : "https"]: formatAddress(address) },
        reload: () => certificate.reload(new Date()),
        async stop(deadline) {
          const cutOff = await served.drain(deadline);
          await checks;
          if (cutOff.length > 0) throw served.cutOffError(cutOff);
        },
      };
    },
  }),
);

/** What either mode hands over. */
interface Served {
  readonly server: Server;
  replaceCertificate(pair: CertificatePair): void;
  drain(deadline: AbortSignal): Promise<string[]>;
  cutOffError(cutOff: readonly string[]): Error;
}

function tcpServed(pair: CertificatePair, settings: ServeTcpOptions, context: Context): Served {
  const front = serveTcp(pair, settings, context);
  return {
    server: front.server,
    replaceCertificate: (renewed) => front.replaceCertificate(renewed),
    drain: (deadline) => front.drain(deadline),
    cutOffError: connectionsCutOff,
  };
}

function httpServed(
  pair: CertificatePair,
  { app, proxyProtocol }: { app: Address; proxyProtocol: ProxyProtocolOptions | undefined },
  { metrics, health, log }: Context,
): Served {
  const counted = observers(metrics);
  const engine = httpProxyEngine(app, { ...counted, ...watchApp(app, health, log, counted) });
  const defaultHost = "path" in app ? "localhost" : formatAddress(app);
  const front = new Front({ pair, engine, defaultHost, proxyProtocol, observer: counted });
  addFrontMetrics(metrics, front);
  return {
    server: front.listener,
    replaceCertificate: (renewed) => front.replaceCertificate(renewed),
    async drain(deadline) {
      const cutOff = await front.drain(deadline);
      engine.close();
      return cutOff;
    },
    cutOffError: requestsCutOff,
  };
}

function proxyProtocolRule(from: readonly Cidr[], { metrics, log }: Context): ProxyProtocolOptions | undefined {
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

/** Health and log on top of the counts: that the app is away is a state, that it broke off an incident. */
function watchApp(app: Address, health: Health, log: Logger, counted: UpstreamObserver): UpstreamObserver {
  const condition = health.condition("app");
  return {
    away(error) {
      counted.away(error);
      condition.degraded(
        `nothing answers at ${formatAddress(app)} (${systemCode(error)}); requests get 503 until it does`,
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

function requestsCutOff(cutOff: readonly string[]): Error {
  const reason = `${cutOff.length} still in flight when the time-out ended, cut off: ${cutOff.slice(0, 10).join("; ")}`;
  return errors.REQUESTS_CUT_OFF({ subject: "requests", reason, remedy: "Raise --shutdown-timeout" });
}
