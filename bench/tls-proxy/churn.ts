import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { memoryOf } from "../images/memory.ts";
import { median } from "../images/statistics.ts";
import { familyOf } from "./cpu.ts";
import { Field } from "./field.ts";
import type { Measurement } from "./measurements.ts";
import { startPinned } from "./pinned-process.ts";
import { probe } from "./probe.ts";
import { hasCounted, section, verdict } from "./report.ts";
import type { RunningProxy, TestBed } from "./test-bed.ts";

interface Sample {
  /** Bytes of resident memory, at even intervals. */
  readonly memory: readonly number[];
  readonly answered: number;
  readonly brokenOff: number;
}

const client = fileURLToPath(new URL("clients/churn.ts", import.meta.url));
/** Looks at the memory. */
const LOOKS = 120;
/** Of the memory in the second quarter: more is growth. */
const TARGET = 1.05;

/** Clients that come and go and break off, one proxy after the other: does its memory stay what it is? */
export const churn: Measurement = {
  name: "churn",
  isFor: ({ name, pipe, ours }) => ["nginx", "http-proxy"].includes(name) || ours === true || pipe === true,
  async run(bed, proxies, { churn: seconds }, tell) {
    await using field = new Field<Sample>(bed, "churn", tell);
    await field.start(proxies, "http/1.1", ({ port }) => probe(bed, port, "/1k"));
    await field.each(async (running, samples) => {
      const sample = await measureChurn(bed, running, seconds);
      samples.push(sample);
      await probe(bed, running.port, "/1k");
      tell(`churn: ${running.proxy.name}: ${quarters(sample.memory).join(", ")} MB`);
    });
    const rows = field.outcomes.filter(hasCounted).flatMap(({ proxy, samples }) =>
      samples.map(({ memory, answered, brokenOff }) => {
        const growth = growthOf(memory);
        const target = proxy.name === "relay" ? verdict(growth, "≤", TARGET) : "";
        return [proxy.name, `${answered}`, `${brokenOff}`, ...quarters(memory), growth.toFixed(3), target];
      }),
    );
    const memory = ["1st quarter, MB", "2nd", "3rd", "4th", "4th to 2nd", "target"];
    const header = ["", "answered", "broken off", ...memory];
    return section(`Memory over ${seconds} s of churn`, header, rows, field.outcomes);
  },
};

/** Median of the last quarter, as a share of that of the second: the first is when memory is still being taken. */
export function growthOf(memory: readonly number[]): number {
  const [, second, , fourth] = mediansOfQuarters(memory);
  return (fourth ?? Number.NaN) / (second ?? Number.NaN);
}

function mediansOfQuarters(memory: readonly number[]): number[] {
  const at = (quarter: number) => Math.round((memory.length * quarter) / 4);
  return [0, 1, 2, 3].map((quarter) => median(memory.slice(at(quarter), at(quarter + 1))));
}

function quarters(memory: readonly number[]): string[] {
  return mediansOfQuarters(memory).map((bytes) => (bytes / 1e6).toFixed(1));
}

async function measureChurn(bed: TestBed, { port, process: proxy }: RunningProxy, seconds: number): Promise<Sample> {
  const line = [process.execPath, client, `${port}`, bed.certificate, `${seconds}`];
  await using clients = startPinned({ line }, bed.otherCore, "/");
  const memory: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    await delay((seconds / LOOKS) * 1000, undefined, { signal: bed.signal });
    memory.push((await memoryOf(familyOf(proxy.pid))).resident);
  }
  const code = await clients.ended;
  if (code !== 0) throw new Error(clients.output());
  return { memory, ...(JSON.parse(clients.output()) as Pick<Sample, "answered" | "brokenOff">) };
}
