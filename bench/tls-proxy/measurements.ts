import { churn } from "./churn.ts";
import { type Pace, measureEfficiency } from "./efficiency.ts";
import { idle } from "./idle.ts";
import { latency } from "./latency.ts";
import type { Proxy } from "./proxies.ts";
import { efficiencyTable } from "./report.ts";
import type { TestBed } from "./test-bed.ts";
import { workloads } from "./workloads.ts";

/** How long everything takes. */
export interface Length extends Pace {
  /** Seconds of churn. */
  readonly churn: number;
  /** Idle connections. */
  readonly idle: number;
}

/** One table. */
export interface Measurement {
  readonly name: string;
  readonly isFor: (proxy: Proxy) => boolean;
  /** Resolves to Markdown. */
  readonly run: (
    bed: TestBed,
    proxies: readonly Proxy[],
    length: Length,
    tell: (line: string) => void,
  ) => Promise<string>;
}

export const measurements: readonly Measurement[] = [
  ...workloads.map(
    (workload) =>
      ({
        name: workload.name,
        isFor: workload.isFor,
        run: async (bed, proxies, length, tell) =>
          efficiencyTable(workload, await measureEfficiency(bed, workload, proxies, length, tell)),
      }) satisfies Measurement,
  ),
  latency,
  idle,
  churn,
];
