import {
  type Address,
  type Health,
  type Logger,
  defineSidecar,
  formatAddress,
  listen as listenOn,
  messageOf,
  reachable,
  systemCode,
} from "@pillion/kit";
import { Certificates } from "./certificates/certificates.ts";
import type { UpstreamObserver } from "./engine.ts";
import { errors } from "./errors.ts";
import { Front } from "./front.ts";
import { httpProxyEngine } from "./http-proxy-engine.ts";
import { identity } from "./identity.ts";
import { addCertificateMetrics, addFrontMetrics, certificatesObserver, observers } from "./metrics.ts";
import { options } from "./options.ts";

/** Serves an app's plain HTTP as HTTPS. */
export const tlsProxy = defineSidecar(identity, options, ({ listen, upstream, appPort = 0, ...files }) => ({
  async start({ signal, log, metrics, health }) {
    const app = reachable(upstream ?? { host: "127.0.0.1", port: appPort });
    const observer = certificatesObserver(metrics);
    const certificates = await Certificates.open(files, { log, health, signal, observer });
    addCertificateMetrics(metrics, () => certificates.inForce);

    const counted = observers(metrics);
    const engine = httpProxyEngine(app, { ...counted, ...watchApp(app, health, log, counted) });
    const defaultHost = "path" in app ? "localhost" : formatAddress(app);
    const front = new Front({ certificates, engine, defaultHost, observer: counted });
    addFrontMetrics(metrics, front);
    const address = await listenOn(front.server, listen, "--listen");
    return {
      addresses: { https: formatAddress(address) },
      reload: () => certificates.reload(),
      async stop(deadline) {
        const cutOff = await front.drain(deadline);
        engine.close();
        await certificates.closed();
        if (cutOff.length > 0) throw requestsCutOff(cutOff);
      },
    };
  },
}));

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
