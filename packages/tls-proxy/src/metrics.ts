import type { Metrics } from "@pillion/kit";
import type { UpstreamObserver } from "./engine.ts";
import type { CertificatePair } from "./certificates/certificate.ts";
import type { CertificatesObserver } from "./certificates/certificates.ts";
import type { Front, FrontObserver } from "./front.ts";

/** Counts what front and engine tell. */
export function observers(metrics: Metrics): FrontObserver & UpstreamObserver {
  const requests = metrics.counter("requests_total", "Requests by class of the answer's status.", ["code"]);
  const durations = metrics.histogram(
    "request_duration_seconds",
    "From a request's head to its answer's end.",
    DURATIONS,
  );
  const handshakes = metrics.counter("handshakes_total", "TLS handshakes by version, or failed.", ["outcome"]);
  const failures = metrics.counter(
    "upstream_failures_total",
    "Requests that the app couldn't be asked, or broke off.",
    ["kind"],
  );
  return {
    handshakeSucceeded: (version) => handshakes.inc({ outcome: version }),
    handshakeFailed: () => handshakes.inc({ outcome: "failed" }),
    answered(status, seconds) {
      requests.inc({ code: `${Math.floor(status / 100)}xx` });
      durations.observe(seconds);
    },
    away: () => failures.inc({ kind: "away" }),
    failed: () => failures.inc({ kind: "failed" }),
    reached: () => {},
  };
}

/** Counts what certificates tell. */
export function certificatesObserver(metrics: Metrics): CertificatesObserver {
  const reloads = metrics.counter("certificate_reloads_total", "Readings of the certificate files by outcome.", [
    "outcome",
  ]);
  const clients = metrics.counter("client_certificates_total", "Connections by what their client certificate is.", [
    "outcome",
  ]);
  return {
    reloaded: (outcome) => reloads.inc({ outcome }),
    clientJudged: (outcome) => clients.inc({ outcome }),
  };
}

/** Certificates that are shown one by one; a scrape has to stay small. */
const CERTIFICATES_AT_MOST = 200;

/** Shows until when each certificate in force is valid; of several with the same labels, the earliest. */
export function addCertificateMetrics(metrics: Metrics, inForce: () => readonly CertificatePair[]): void {
  const labels = ["name", "key_type"] as const;
  const name = "certificate_expiry_timestamp_seconds";
  metrics.gauge(name, "When a certificate in force expires, by its first name.", labels, (gauge) => {
    gauge.reset();
    const latestFirst = inForce().slice(0, CERTIFICATES_AT_MOST);
    for (const pair of latestFirst.toSorted((a, b) => b.notAfter.getTime() - a.notAfter.getTime()))
      gauge.set({ name: pair.names[0] ?? pair.subject, key_type: pair.keyType }, pair.notAfter.getTime() / 1000);
  });
}

/** Shows what is open. */
export function addFrontMetrics(metrics: Metrics, { connections }: Front): void {
  metrics.gauge("connections", "Open client connections.", [], (gauge) => gauge.set(connections.open));
  metrics.gauge("upgraded_connections", "Client connections that are WebSockets.", [], (gauge) =>
    gauge.set(connections.upgraded),
  );
}

const DURATIONS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
