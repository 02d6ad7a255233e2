import { type CpuTime, cpuBetween, cpuByProcess } from "./cpu.ts";
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

/** A proxy's samples, or why there are none. */
export interface Outcome {
  readonly proxy: Proxy;
  readonly samples: Sample[];
  /** It refused to start, or its answers weren't right: nothing of it counts. */
  failure?: string;
}

export interface Pace {
  readonly runs: number;
  readonly seconds: number;
}

/** Node's compilers need that long. */
const WARM_UP = 3;

/** Every proxy is started and warmed up, then they take turns: what the machine does meanwhile meets all of them. */
export async function measure(
  bed: TestBed,
  workload: Workload,
  proxies: readonly Proxy[],
  { runs, seconds }: Pace,
  tell: (line: string) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = proxies.map((proxy) => ({ proxy, samples: [] }));
  const running = new Map<Outcome, RunningProxy>();
  const attempt = async (outcome: Outcome, work: () => Promise<void>) => {
    if (outcome.failure !== undefined) return;
    await work().catch((error: Error) => {
      outcome.failure = error.message;
      tell(`${workload.name}: ${outcome.proxy.name}: ${error.message}`);
    });
  };
  try {
    for (const outcome of outcomes)
      await attempt(outcome, async () => {
        const started = await bed.start(outcome.proxy, workload.alpn);
        running.set(outcome, started);
        await probe(bed, started.port, workload.path);
        await workload.load(bed, started.port, Math.min(seconds, WARM_UP));
      });
    for (let run = 1; run <= runs; run++)
      for (const [outcome, started] of running)
        await attempt(outcome, async () => {
          const sample = await takeSample(bed, workload, started, seconds);
          outcome.samples.push(sample);
          tell(`${workload.name} ${run}/${runs}: ${outcome.proxy.name}: ${requestsPerCpuSecond(sample).toFixed(0)}`);
        });
    for (const [outcome, started] of running) await attempt(outcome, () => probe(bed, started.port, workload.path));
  } finally {
    for (const { process } of running.values()) await process[Symbol.asyncDispose]();
  }
  return outcomes;
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

/** All processes of the proxy together. */
export function requestsPerCpuSecond({ requests, cpu }: Sample): number {
  return requests / cpu.reduce((total, { user, system }) => total + user + system, 0);
}
