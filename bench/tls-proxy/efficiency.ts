import { type CpuTime, cpuBetween, cpuByProcess } from "./cpu.ts";
import { Field, type Outcome as FieldOutcome } from "./field.ts";
import { probe } from "./probe.ts";
import type { Proxy } from "./proxies.ts";
import type { RunningProxy, TestBed } from "./test-bed.ts";
import type { Workload } from "./workloads.ts";

/** One run of a load against one proxy. */
export interface Sample {
  readonly requests: number;
  /** Seconds. */
  readonly elapsed: number;
  /** Of each process of the proxy. */
  readonly cpu: readonly CpuTime[];
}

export type Outcome = FieldOutcome<Sample>;

export interface Pace {
  readonly runs: number;
  readonly seconds: number;
}

/** Node's compilers need that long. */
const WARM_UP = 3;

/** Every proxy is started and warmed up, then they take turns: what the machine does meanwhile meets all of them. */
export async function measureEfficiency(
  bed: TestBed,
  workload: Workload,
  proxies: readonly Proxy[],
  { runs, seconds }: Pace,
  tell: (line: string) => void,
): Promise<Outcome[]> {
  const field = new Field<Sample>(bed, workload.name, tell);
  await using _ = field;
  await field.start(proxies, workload.alpn, async ({ port }) => {
    await probe(bed, port, workload.path);
    await workload.load(bed, port, Math.min(seconds, WARM_UP));
  });
  for (let run = 1; run <= runs; run++)
    await field.each(async (running, samples) => {
      const sample = await takeSample(bed, workload, running, seconds);
      samples.push(sample);
      tell(
        `${workload.name} ${run}/${runs}: ${running.proxy.name}: ${requestsPerCpuSecond(workload, sample).toFixed(0)}`,
      );
    });
  await field.each(({ port }) => probe(bed, port, workload.path));
  return field.outcomes;
}

async function takeSample(
  bed: TestBed,
  workload: Workload,
  { port, process }: RunningProxy,
  seconds: number,
): Promise<Sample> {
  const before = cpuByProcess(process.pid);
  const { requests, elapsed } = await workload.load(bed, port, seconds);
  process.check();
  return { requests, elapsed, cpu: cpuBetween(before, cpuByProcess(process.pid)) };
}

export function requestsPerCpuSecond({ cpu: which }: Workload, { requests, cpu }: Sample): number {
  const each = cpu.map(({ user, system }) => user + system);
  return requests / (which === "all" ? each.reduce((total, time) => total + time, 0) : Math.max(...each));
}
