import { AggregatorRegistry, Registry } from "prom-client";
import { type Metrics, metricsOf } from "./metrics.ts";
import { addProcessMetrics } from "./process-metrics.ts";

/** What one process has counted and measured, as plain data for another process. */
export type MetricSnapshot = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/** The metrics of a process that has no admin listener of its own. */
export interface ProcessMetrics {
  readonly metrics: Metrics;
  snapshot(): Promise<MetricSnapshot>;
}

/** @param sidecar whose part the process is, for the prefix */
export function metricsOfProcess(sidecar: string): ProcessMetrics {
  const registry = new Registry();
  addProcessMetrics(registry);
  return { metrics: metricsOf(registry, sidecar), snapshot: () => registry.getMetricsAsJSON() };
}

/** The snapshots of several processes as if they were one. */
export function summed(snapshots: readonly MetricSnapshot[]): Registry {
  return AggregatorRegistry.aggregate([...snapshots]);
}

/**
 * What stays of processes that have ended: all that they counted, and nothing that they measured. Without it a sum of
 * counters would fall, which Prometheus takes for a restart from zero (prometheus.io, "rate()").
 */
export async function whatLasts(snapshots: readonly MetricSnapshot[]): Promise<MetricSnapshot> {
  const all = await summed(snapshots).getMetricsAsJSON();
  return all.filter(({ type }) => String(type) !== "gauge");
}
