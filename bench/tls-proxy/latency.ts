import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, spread } from "../images/statistics.ts";
import { Field } from "./field.ts";
import { h2load } from "./h2load.ts";
import type { Measurement } from "./measurements.ts";
import { probe } from "./probe.ts";
import { hasCounted, section, verdict } from "./report.ts";
import { KIBIBYTE, type RunningProxy, type TestBed } from "./test-bed.ts";

/** Milliseconds. */
interface Sample {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

const CONNECTIONS = 64;
const expected = { protocol: "http/1.1", length: KIBIBYTE, inFlight: CONNECTIONS } as const;
/** Seconds. */
const WARM_UPS = [1, 1, 2];
/** Of the wanted rate; a proxy that is slower doesn't have this load. */
const LEAST_RATE = 0.95;
/** Times of nginx's p99. */
const TARGET = 1.5;

/** Everybody gets the same rate: half of what nginx, or the first where it isn't measured, does at full load beforehand. */
export const latency: Measurement = {
  name: "latency",
  isFor: ({ pipe, workers }) => !pipe && (workers ?? 1) === 1,
  async run(bed, proxies, { runs, seconds }, tell) {
    await using field = new Field<Sample>(bed, "latency", tell);
    const fullRates = new Map<string, number>();
    await field.start(proxies, "http/1.1", async (running) => {
      await probe(bed, running.port, "/1k");
      let rate: number | undefined;
      for (const warmUp of WARM_UPS) {
        const load = await h2load(bed, { seconds: warmUp, rate }, atFullLoad(running), expected);
        rate = load.requests / load.elapsed;
      }
      fullRates.set(running.proxy.name, rate ?? 0);
    });
    const full = fullRates.get("nginx") ?? [...fullRates.values()][0] ?? 0;
    const perConnection = Math.max(1, Math.round(full / 2 / CONNECTIONS));
    for (let run = 1; run <= runs; run++)
      await field.each(async (running, samples) => {
        const said = `latency ${run}/${runs}: ${running.proxy.name}`;
        try {
          const sample = await atRate(bed, running, perConnection, seconds);
          samples.push(sample);
          tell(`${said}: p99 ${sample.p99.toFixed(2)} ms`);
        } catch (error) {
          // One slow round may be the machine's.
          if (!(error instanceof TooSlow) || (run === runs && samples.length === 0)) throw error;
          tell(`${said}: ${error.message}, not counted`);
        }
      });
    const counted = field.outcomes.filter(hasCounted);
    const nginx = counted.find(({ proxy }) => proxy.name === "nginx");
    const p99 = (samples: readonly Sample[]) => median(samples.map((sample) => sample.p99));
    const rows = counted.map(({ proxy, samples }) => {
      const ratio = nginx && p99(samples) / p99(nginx.samples);
      return [
        samples.length === runs ? proxy.name : `${proxy.name} (${samples.length} of ${runs} rounds)`,
        spread(
          samples.map(({ p50 }) => p50),
          2,
        ),
        spread(
          samples.map((sample) => sample.p99),
          2,
        ),
        ratio?.toFixed(2) ?? "",
        ratio !== undefined && proxy.name === "relay" ? verdict(ratio, "≤", TARGET) : "",
        spread(
          samples.map(({ p999 }) => p999),
          2,
        ),
      ];
    });
    const title = `Time of a request at half load: HTTP/1.1, 1 KiB, ${CONNECTIONS} connections, ${perConnection * CONNECTIONS} requests a second`;
    return section(title, ["", "p50, ms", "p99, ms", "of nginx", "target", "p99.9, ms"], rows, field.outcomes);
  },
};

/** It doesn't have the load that it was to be measured under. */
class TooSlow extends Error {}

/** The smallest value that so many of all are not above. @throws when there is none */
export function percentile(sorted: Float64Array, share: number): number {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new RangeError("a percentile of nothing");
  return value;
}

/** The third column of h2load's log, microseconds, as milliseconds in order. @throws when a request wasn't answered by 200 */
export function parseLog(log: string): Float64Array {
  const times = log
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, status, micros] = line.split("\t");
      if (status !== "200") throw new Error(`a request was answered by ${status}`);
      return Number(micros) / 1000;
    });
  return Float64Array.from(times).toSorted();
}

async function atRate(bed: TestBed, { port }: RunningProxy, perConnection: number, seconds: number): Promise<Sample> {
  const directory = await mkdtemp(join(tmpdir(), `pillion-bench-${process.pid}-`));
  try {
    const log = join(directory, "log");
    const args = ["--h1", "--clients", `${CONNECTIONS}`, "--rps", `${perConnection}`, "--log-file", log];
    const wanted = perConnection * CONNECTIONS;
    const amount = { seconds, rate: wanted };
    const load = await h2load(bed, amount, [...args, `https://127.0.0.1:${port}/1k`], expected);
    const rate = load.requests / load.elapsed;
    if (rate < wanted * LEAST_RATE) throw new TooSlow(`it did ${rate.toFixed(0)} of ${wanted} requests a second`);
    const times = parseLog(await readFile(log, "latin1"));
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), p999: percentile(times, 0.999) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function atFullLoad({ port }: RunningProxy): string[] {
  return ["--h1", "--clients", `${CONNECTIONS}`, `https://127.0.0.1:${port}/1k`];
}
