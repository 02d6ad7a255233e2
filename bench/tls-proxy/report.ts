import { median, spread } from "../images/statistics.ts";
import { markdownTable } from "../results.ts";
import { type Outcome, type Sample, requestsPerCpuSecond } from "./efficiency.ts";
import type { Workload } from "./workloads.ts";

/** What the ratios are of, in this order. */
const YARDSTICKS = ["nginx", "http-proxy"];

export function efficiencyTable(workload: Workload, outcomes: readonly Outcome[]): string {
  const counted = outcomes.filter(({ failure }) => failure === undefined);
  const yardsticks = YARDSTICKS.flatMap((name) => counted.find(({ proxy }) => proxy.name === name) ?? []);
  const header = [
    "",
    "requests per CPU second",
    ...yardsticks.flatMap(({ proxy }) => [`of ${proxy.name}`, "target"]),
    "user, µs a request",
    "system, µs",
    "requests a second",
    "core busy, %",
  ];
  const rows = counted.map((outcome) => [
    outcome.proxy.name,
    spread(outcome.samples.map(requestsPerCpuSecond)),
    ...yardsticks.flatMap((yardstick) => ratio(workload, outcome, yardstick)),
    middle(outcome, (sample) => micros(sample, "user")).toFixed(1),
    middle(outcome, (sample) => micros(sample, "system")).toFixed(1),
    middle(outcome, ({ requests, elapsed }) => requests / elapsed).toFixed(0),
    middle(outcome, busy).toFixed(0),
  ]);
  return [`### ${workload.title}`, markdownTable(header, rows), ...failures(outcomes)].join("\n\n");
}

/** Of the medians, and whether it is what was wanted of ours. */
function ratio({ targets }: Workload, outcome: Outcome, yardstick: Outcome): [string, string] {
  const value = middle(outcome, requestsPerCpuSecond) / middle(yardstick, requestsPerCpuSecond);
  const least = outcome.proxy.name === "relay" ? targets[yardstick.proxy.name] : undefined;
  return [value.toFixed(2), least === undefined ? "" : verdict(value, least)];
}

function verdict(value: number, least: number): string {
  return value >= least ? `≥ ${least} ✓` : `≥ ${least} **missed**`;
}

function failures(outcomes: readonly Outcome[]): string[] {
  const failed = outcomes.filter(({ failure }) => failure !== undefined);
  if (failed.length === 0) return [];
  return [failed.map(({ proxy, failure }) => `- ${proxy.name} doesn't count: ${brief(failure ?? "")}`).join("\n")];
}

function brief(failure: string): string {
  return failure.replaceAll(/\s+/g, " ").slice(0, 300);
}

function middle({ samples }: Outcome, figure: (sample: Sample) => number): number {
  return median(samples.map(figure));
}

function micros({ requests, cpu }: Sample, kind: "user" | "system"): number {
  return (cpu.reduce((total, time) => total + time[kind], 0) / requests) * 1e6;
}

function busy({ cpu, elapsed }: Sample): number {
  return (cpu.reduce((total, { user, system }) => total + user + system, 0) / elapsed) * 100;
}
