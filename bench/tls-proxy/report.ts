import { median, spread } from "../images/statistics.ts";
import { markdownTable } from "../results.ts";
import { type Outcome, type Sample, requestsPerCpuSecond } from "./efficiency.ts";
import type { Outcome as AnyOutcome } from "./field.ts";
import type { Workload } from "./workloads.ts";

export function efficiencyTable(workload: Workload, outcomes: readonly Outcome[]): string {
  const { target } = workload;
  const counted = outcomes.filter(hasCounted);
  const yardsticks = workload.yardsticks.flatMap((name) => counted.find(({ proxy }) => proxy.name === name) ?? []);
  const header = [
    "",
    "requests per CPU second",
    ...yardsticks.flatMap(({ proxy: { name } }) => [
      `of ${name}`,
      ...(target?.least[name] === undefined ? [] : ["target"]),
    ]),
    "user, µs a request",
    "system, µs",
    "requests a second",
    "core busy, %",
  ];
  const rows = counted.map((outcome) => [
    outcome.proxy.name,
    spread(outcome.samples.map((sample) => requestsPerCpuSecond(workload, sample))),
    ...yardsticks.flatMap((yardstick) => ratio(workload, outcome, yardstick)),
    middle(outcome, (sample) => micros(sample, "user")).toFixed(1),
    middle(outcome, (sample) => micros(sample, "system")).toFixed(1),
    middle(outcome, ({ requests, elapsed }) => requests / elapsed).toFixed(0),
    middle(outcome, busy).toFixed(0),
  ]);
  return section(workload.title, header, rows, outcomes);
}

/** A heading, a table, and those that are out of it with the reason. */
export function section(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
  outcomes: readonly AnyOutcome<unknown>[],
): string {
  const failed = outcomes.filter((outcome) => !hasCounted(outcome));
  const reasons = failed.map(({ proxy, failure }) => `- ${proxy.name} is out: ${failure ?? "it wasn't measured"}`);
  return [`### ${title}`, markdownTable(header, rows), ...(reasons.length > 0 ? [reasons.join("\n")] : [])].join(
    "\n\n",
  );
}

export function hasCounted({ failure, samples }: AnyOutcome<unknown>): boolean {
  return failure === undefined && samples.length > 0;
}

/** "≥ 0.85 ✓" */
export function verdict(value: number, sign: "≥" | "≤", wanted: number): string {
  const reached = sign === "≥" ? value >= wanted : value <= wanted;
  return `${sign} ${wanted} ${reached ? "✓" : "**missed**"}`;
}

/** Of the medians, and whether it is what was wanted. */
function ratio(workload: Workload, outcome: Outcome, yardstick: Outcome): string[] {
  const figure = (sample: Sample) => requestsPerCpuSecond(workload, sample);
  const value = middle(outcome, figure) / middle(yardstick, figure);
  const least = workload.target?.least[yardstick.proxy.name];
  if (least === undefined) return [value.toFixed(2)];
  return [value.toFixed(2), workload.target?.of === outcome.proxy.name ? verdict(value, "≥", least) : ""];
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
