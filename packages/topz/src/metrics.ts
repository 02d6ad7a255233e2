import type { Metrics } from "@pillion/kit";
import type { ProcessRow, Snapshot } from "./process-table.ts";

/** Names of processes that get a series of their own, those with most memory first; the others are summed as `other`. */
const GROUPS = 50;
const OTHER = "other";

/** Processes by state and resources by process name, from the latest snapshot. Returns the histogram of scan times. */
export function addProcessTableMetrics(metrics: Metrics, latest: () => Snapshot | undefined) {
  const rows = () => latest()?.processes ?? [];
  metrics.gauge("processes", "Processes by state, proc(5).", ["state"], (gauge) => {
    gauge.reset();
    for (const [state, members] of Map.groupBy(rows(), (row) => row.state)) gauge.set({ state }, members.length);
  });
  metrics.gauge(
    "group_resident_bytes",
    "Resident memory by process name; shared pages count in each.",
    ["group"],
    (gauge) => {
      gauge.reset();
      for (const [group, members] of grouped(rows())) gauge.set({ group }, sum(members, "residentBytes"));
    },
  );
  metrics.gauge(
    "group_cpu_cores",
    "CPU use by process name over the last interval; 1 is one core.",
    ["group"],
    (gauge) => {
      gauge.reset();
      for (const [group, members] of grouped(rows())) gauge.set({ group }, sum(members, "cpuPercent") / 100);
    },
  );
  return metrics.histogram(
    "scan_duration_seconds",
    "Time to read all processes.",
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
  );
}

/** Anybody can start processes of any name, so the number of label values is bounded. Idle kernel threads are left out. */
function grouped(rows: readonly ProcessRow[]): Map<string, ProcessRow[]> {
  const users = rows.filter(({ residentBytes, cpuPercent }) => residentBytes !== 0 || cpuPercent !== 0);
  const groups = [...Map.groupBy(users, (row) => row.name)];
  groups.sort(([, a], [, b]) => sum(b, "residentBytes") - sum(a, "residentBytes"));
  const shown = new Map(groups.slice(0, GROUPS));
  const rest = groups.slice(GROUPS).flatMap(([, members]) => members);
  if (rest.length > 0) shown.set(OTHER, [...(shown.get(OTHER) ?? []), ...rest]);
  return shown;
}

function sum(rows: readonly ProcessRow[], key: "residentBytes" | "cpuPercent"): number {
  return rows.reduce((total, row) => total + (row[key] ?? 0), 0);
}
