import { Registry } from "prom-client";
import { beforeEach, expect, test } from "vitest";
import { metricsOf } from "./metrics.ts";
import { addProcessMetrics } from "./process-metrics.ts";

let registry: Registry;
beforeEach(() => (registry = new Registry()));

test("names get the sidecar's prefix, raw ones don't", async () => {
  const metrics = metricsOf(registry, "tls-proxy");
  metrics.counter("requests_total", "Requests.", ["method"]).inc({ method: "GET" }, 2);
  metrics.raw.gauge("git_sync_count", "Syncs.").set(3);
  metrics.raw.raw.gauge("other", "Other.").set(4);
  metrics.histogram("seconds", "Time.", [0.1, 1]).observe(0.5);
  const text = await registry.metrics();
  expect(text).toContain("# HELP tls_proxy_requests_total Requests.");
  expect(text).toContain('tls_proxy_requests_total{method="GET"} 2');
  expect(text).toMatch(/^git_sync_count 3$/m);
  expect(text).toMatch(/^other 4$/m);
  expect(text).toContain('tls_proxy_seconds_bucket{le="0.1"} 0');
  expect(text).toContain('tls_proxy_seconds_bucket{le="1"} 1');
});

test("a name that exists is refused; the same name of another sidecar isn't the same", () => {
  metricsOf(registry, "a").counter("beats_total", "Beats.");
  metricsOf(registry, "b").counter("beats_total", "Beats.");
  expect(() => metricsOf(registry, "a").gauge("beats_total", "Beats.")).toThrow(
    "a_beats_total has already been registered",
  );
  expect(() => metricsOf(registry, "c").raw.gauge("b_beats_total", "Beats.")).toThrow("already been registered");
});

test("a gauge that collects is asked at every scrape", async () => {
  let value = 0;
  metricsOf(registry, "app").gauge("value", "Value.", [], (gauge) => gauge.set(++value));
  expect(await registry.metrics()).toMatch(/^app_value 1$/m);
  expect(await registry.metrics()).toMatch(/^app_value 2$/m);
});

test("the process tells what Prometheus' guidelines name, as it is now", async () => {
  addProcessMetrics(registry);
  const read = async () =>
    Object.fromEntries((await registry.getMetricsAsJSON()).map(({ name, values }) => [name, Number(values[0]?.value)]));
  const before = await read();
  const busyUntil = process.cpuUsage().user + 50_000;
  while (process.cpuUsage().user < busyUntil);
  const after = await read();
  const spent = Number(after["process_cpu_seconds_total"]) - Number(before["process_cpu_seconds_total"]);
  expect(spent).toBeGreaterThanOrEqual(0.05);
  expect(spent).toBeLessThan(10);
  expect(Math.abs(Number(before["process_start_time_seconds"]) - (Date.now() / 1000 - process.uptime()))).toBeLessThan(
    60,
  );
  expect(before["process_resident_memory_bytes"]).toBeGreaterThan(1_000_000);
  expect(before["process_heap_bytes"]).toBeGreaterThan(100_000);
  if (process.platform === "linux") {
    expect(before["process_open_fds"]).toBeGreaterThan(2);
    expect(before["process_max_fds"]).toBeGreaterThanOrEqual(before["process_open_fds"] ?? 0);
  }
});
