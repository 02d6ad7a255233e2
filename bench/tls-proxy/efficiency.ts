import { type CpuTime, cpuBetween, cpuByProcess } from "./cpu.ts";
import { Field, type Outcome as FieldOutcome } from "./field.ts";
import type { Amount } from "./h2load.ts";
import { probe } from "./probe.ts";
import type { Proxy } from "./proxies.ts";
import type { RunningProxy, TestBed } from "./test-bed.ts";
import type { Load, Workload } from "./workloads.ts";

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

/** Seconds: Node's compilers need some, and a load that is counted in requests has to know how many a second there are. */
const WARM_UPS = [1, 1, 2];

/** Every proxy is started and warmed up, then they take turns: what the machine does meanwhile meets all of them. */
export async function measureEfficiency(
  bed: TestBed,
  workload: Workload,
  proxies: readonly Proxy[],
  { runs, seconds }: Pace,
  tell: (line: string) => void,
): Promise<Outcome[]> {
  await using field = new Field<Sample>(bed, workload.name, tell);
  const rates = new Map<number, number | undefined>();
  await field.start(proxies, workload.alpn, async ({ port }) => {
    await probe(bed, port, workload.path);
    let rate: number | undefined;
    for (const warmUp of WARM_UPS) rate = rateOf(await workload.load(bed, port, { seconds: warmUp, rate }));
    rates.set(port, rate);
  });
  for (let run = 1; run <= runs; run++)
    await field.each(async (running, samples) => {
      const sample = await takeSample(bed, workload, running, { seconds, rate: rates.get(running.port) });
      rates.set(running.port, rateOf(sample));
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
  amount: Amount,
): Promise<Sample> {
  const before = cpuByProcess(process.pid);
  const { requests, elapsed } = await workload.load(bed, port, amount);
  process.check();
  return { requests, elapsed, cpu: cpuBetween(before, cpuByProcess(process.pid)) };
}

function rateOf({ requests, elapsed }: Load): number {
  return requests / elapsed;
}

export function requestsPerCpuSecond({ cpu: which }: Workload, { requests, cpu }: Sample): number {
  const each = cpu.map(({ user, system }) => user + system);
  return requests / (which === "all" ? each.reduce((total, time) => total + time, 0) : Math.max(...each));
}
