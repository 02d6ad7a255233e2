import { openFileDescriptors, openFileLimit } from "@pillion/procfs";
import type { Registry } from "prom-client";
import { metricsOf } from "./metrics.ts";

/**
 * What Prometheus' client guidelines name for every process. Picked by hand: prom-client's default set keeps an event
 * loop monitor running, which alone costs an idle sidecar most of its CPU time.
 */
export function addProcessMetrics(registry: Registry): void {
  const { raw } = metricsOf(registry, "");
  const started = Date.now() / 1000 - process.uptime();
  raw.gauge("process_start_time_seconds", "Start of the process since the epoch.", [], undefined, "min").set(started);
  raw.gauge("process_resident_memory_bytes", "Resident memory.", [], (gauge) => gauge.set(process.memoryUsage.rss()));
  raw.gauge("process_heap_bytes", "Used heap of the runtime.", [], (gauge) =>
    gauge.set(process.memoryUsage().heapUsed),
  );
  const cpu = raw.counter("process_cpu_seconds_total", "CPU time, user and system.");
  Object.assign(cpu, {
    collect() {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
    },
  });
  raw.gauge("process_open_fds", "Open file descriptors.", [], (gauge) => {
    const count = openFileDescriptors(process.pid);
    if (count !== null && count !== undefined) gauge.set(count);
  });
  raw.gauge("process_max_fds", "Limit of open file descriptors.", [], (gauge) => {
    if (process.platform === "linux") gauge.set(openFileLimit());
  });
}
