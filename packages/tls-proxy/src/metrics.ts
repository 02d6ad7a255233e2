import type { Metrics } from "@pillion/kit";
import type { CertificatePair } from "./certificates/certificate.ts";
import type { CertificatesObserver } from "./certificates/certificates.ts";
import type { Front, FrontObserver } from "./front/front.ts";
import type { UpstreamObserver } from "./http-proxy/engine.ts";
import type { RelayObserver } from "./relay/relay-options.ts";
import type { PlainOutcome } from "./redirect/redirect.ts";
import type { UpstreamPool } from "./upstream/upstream-pool.ts";
import type { TcpObserver } from "./tcp/tcp-handler.ts";

/** Counts what front and engine tell. */
export function observers(metrics: Metrics): FrontObserver & UpstreamObserver & RelayObserver {
  /** By class, since the metrics were read: a counter's own `inc` looks its labels up each time. */
  const answered = new Float64Array(CLASSES.length);
  metrics.counter("requests_total", "Requests by class of the answer's status.", ["code"], (requests) => {
    for (const [index, code] of CLASSES.entries()) requests.inc({ code }, answered[index]);
    answered.fill(0);
  });
  const durations = metrics.distribution(
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
      const index = Math.floor(status / 100) - 1;
      answered[index] = (answered[index] ?? 0) + 1;
      durations.observe(seconds);
    },
    away: () => failures.inc({ kind: "away" }),
    failed: () => failures.inc({ kind: "failed" }),
    reached: () => {},
  };
}

/** Counts what comes over plain HTTP to the redirect listener. */
export function countPlain(metrics: Metrics): { plain(outcome: PlainOutcome): void } {
  const requests = metrics.counter("plain_requests_total", "Requests to the redirect listener.", ["outcome"]);
  return { plain: (outcome) => requests.inc({ outcome }) };
}

/** Counts the lines that the access log lost because its reader is too slow. */
export function countLost(metrics: Metrics): (lines: number) => void {
  const lost = metrics.counter("access_log_lost_total", "Lines that the access log lost, as its reader is too slow.");
  return (lines) => lost.inc(lines);
}

/** Counts the workers that serve and those that died. */
export function workerMetrics(metrics: Metrics, serving: () => number): { died(): void } {
  metrics.gauge("workers", "Worker processes that serve.", [], (gauge) => gauge.set(serving()));
  const deaths = metrics.counter("worker_deaths_total", "Worker processes that ended unasked.");
  return { died: () => deaths.inc() };
}

/** Shows what is open. */
export function addFrontMetrics(metrics: Metrics, front: Front): void {
  metrics.gauge("connections", "Open client connections.", [], (gauge) => gauge.set(front.open));
  metrics.gauge("upgraded_connections", "Client connections that are WebSockets.", [], (gauge) =>
    gauge.set(front.upgraded),
  );
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
  const collect = (gauge: ReturnType<typeof metrics.gauge<"name" | "key_type">>) => {
    gauge.reset();
    const latestFirst = inForce().slice(0, CERTIFICATES_AT_MOST);
    for (const pair of latestFirst.toSorted((a, b) => b.notAfter.getTime() - a.notAfter.getTime()))
      gauge.set({ name: pair.names[0] ?? pair.subject, key_type: pair.keyType }, pair.notAfter.getTime() / 1000);
  };
  metrics.gauge(name, "When a certificate in force expires, by its first name.", labels, collect, "min");
}

/** Shows the relay's connections to the app, and who waits for one. */
export function addPoolMetrics(metrics: Metrics, pool: UpstreamPool): void {
  metrics.gauge("upstream_connections", "Open connections to the app.", ["state"], (gauge) => {
    gauge.set({ state: "idle" }, pool.idleCount);
    gauge.set({ state: "busy" }, pool.open - pool.idleCount);
  });
  metrics.gauge("upstream_waiting_requests", "Requests that wait for a connection to the app.", [], (gauge) =>
    gauge.set(pool.waiting),
  );
}

/** Counts what `--mode tcp` tells. */
export function tcpObservers(metrics: Metrics): FrontObserver & TcpObserver {
  const handshakes = metrics.counter("handshakes_total", "TLS handshakes by version, or failed.", ["outcome"]);
  const connections = metrics.counter("tcp_connections_total", "Connections of --mode tcp that are over.", ["outcome"]);
  const bytes = metrics.counter("tcp_bytes_total", "Bytes carried in --mode tcp, without TLS.", ["direction"]);
  const directions = { to_app: bytes.labels("to_app"), to_client: bytes.labels("to_client") };
  return {
    handshakeSucceeded: (version) => handshakes.inc({ outcome: version }),
    handshakeFailed: () => handshakes.inc({ outcome: "failed" }),
    refused: () => {}, // counted as client_certificates_total
    waiting: () => {},
    away: () => connections.inc({ outcome: "away" }),
    reached: () => {},
    closed: (outcome) => connections.inc({ outcome }),
    moved: (direction, count) => directions[direction].inc(count),
  };
}

/** Counts connections aborted for their PROXY header. */
export function proxyHeaderCounter(metrics: Metrics): () => void {
  const refused = metrics.counter("proxy_headers_refused_total", "Connections aborted for lack of a PROXY header.");
  return () => refused.inc();
}

const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const DURATIONS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
