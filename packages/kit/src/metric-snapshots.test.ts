import { expect, test } from "vitest";
import { Registry } from "prom-client";
import { type MetricSnapshot, metricsOfProcess, summed, whatLasts } from "./metric-snapshots.ts";
import { metricsOf } from "./metrics.ts";

async function snapshot(served: number, open: number, expiry: number): Promise<MetricSnapshot> {
  const registry = new Registry();
  const metrics = metricsOf(registry, "demo");
  metrics.counter("served_total", "Served.", ["code"]).inc({ code: "2xx" }, served);
  metrics.gauge("open", "Open.").set(open);
  metrics.gauge("expiry", "Expiry.", [], undefined, "min").set(expiry);
  const seconds = metrics.distribution("seconds", "Time.", [1]);
  for (let count = 0; count < served; count++) seconds.observe(0.5);
  // As it comes from another process.
  return structuredClone(await registry.getMetricsAsJSON());
}

test("counters, distributions and gauges of several processes are summed, and the earliest expiry counts", async () => {
  const text = await summed([await snapshot(3, 1, 20), await snapshot(4, 2, 10)]).metrics();
  expect(text).toContain('demo_served_total{code="2xx"} 7\n');
  expect(text).toContain("demo_open 3\n");
  expect(text).toContain("demo_expiry 10\n");
  expect(text).toContain('demo_seconds_bucket{le="1"} 7\n');
  expect(text).toContain('demo_seconds_bucket{le="+Inf"} 7\n');
  expect(text).toContain("demo_seconds_sum 3.5\n");
});

test("of a process that has ended, what it counted stays, and nothing that it measured", async () => {
  const gone = await whatLasts([await snapshot(3, 1, 20), await snapshot(4, 2, 10)]);
  const text = await summed([await snapshot(1, 5, 30), gone]).metrics();
  expect(text).toContain('demo_served_total{code="2xx"} 8\n');
  expect(text).toContain("demo_seconds_count 8\n");
  expect(text).toContain("demo_open 5\n");
  expect(text).toContain("demo_expiry 30\n");
});

test("a process without a listener measures itself too", async () => {
  const { metrics, snapshot: take } = metricsOfProcess("demo");
  metrics.counter("served_total", "Served.").inc();
  const names = (await take()).map(({ name }) => name);
  expect(names).toContain("demo_served_total");
  expect(names).toContain("process_cpu_seconds_total");
});
