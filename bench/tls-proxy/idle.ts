import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { median, spread } from "../images/statistics.ts";
import { memoryOf } from "../images/memory.ts";
import { familyOf } from "./cpu.ts";
import { Field } from "./field.ts";
import type { Measurement } from "./measurements.ts";
import { startPinned } from "./pinned-process.ts";
import { probe } from "./probe.ts";
import { hasCounted, section, verdict } from "./report.ts";
import type { RunningProxy, TestBed } from "./test-bed.ts";

/** Bytes of resident memory, and how many connections came in between. */
interface Sample {
  readonly before: number;
  readonly after: number;
  readonly connections: number;
}

const client = fileURLToPath(new URL("clients/idle.ts", import.meta.url));
/** kB a connection. */
const TARGET = 60;
/** Memory has settled when it changed by less than this share in that many milliseconds; it is waited for as long. */
const SETTLED = { share: 0.01, within: 2000, patience: 20_000 };
/** Until all are open. */
const PATIENCE = 120_000;

/** What a connection holds that has had one answer and waits: each proxy once, freshly started. */
export const idle: Measurement = {
  name: "idle",
  isFor: ({ workers }) => (workers ?? 1) === 1,
  async run(bed, proxies, { idle: connections }, tell) {
    await using field = new Field<Sample>(bed, "idle", tell);
    await field.start(proxies, "http/1.1", ({ port }) => probe(bed, port, "/1k"));
    await field.each(async (running, samples) => {
      const sample = await measureIdle(bed, running, connections);
      samples.push(sample);
      tell(`idle: ${running.proxy.name}: ${perConnection(sample).toFixed(1)} kB`);
    });
    const rows = field.outcomes.filter(hasCounted).map(({ proxy, samples }) => {
      const each = median(samples.map((sample) => perConnection(sample)));
      return [
        proxy.name,
        spread(
          samples.map(({ before }) => before / 1e6),
          1,
        ),
        spread(
          samples.map(({ after }) => after / 1e6),
          1,
        ),
        each.toFixed(1),
        proxy.name === "relay" ? verdict(each, "≤", TARGET) : "",
      ];
    });
    const header = ["", "RSS before, MB", "RSS then, MB", "a connection, kB", "target"];
    return section(`${connections} idle connections`, header, rows, field.outcomes);
  },
};

async function measureIdle(bed: TestBed, { port, process: proxy }: RunningProxy, connections: number): Promise<Sample> {
  const before = await settledMemory(proxy.pid, bed.signal);
  const line = [process.execPath, client, `${port}`, bed.certificate, `${connections}`];
  await using clients = startPinned({ line }, bed.otherCore, "/");
  const deadline = performance.now() + PATIENCE;
  while (clients.output() !== `open: ${connections}`) {
    clients.check();
    if (performance.now() > deadline) throw new Error(`not all connections are open after ${PATIENCE / 1000} s`);
    await delay(50, undefined, { signal: bed.signal });
  }
  const after = await settledMemory(proxy.pid, bed.signal);
  clients.check(); // it ends when one is closed
  return { before, after, connections };
}

async function settledMemory(pid: number, signal: AbortSignal): Promise<number> {
  const resident = async () => (await memoryOf(familyOf(pid))).resident;
  const deadline = performance.now() + SETTLED.patience;
  for (let last = await resident(); ;) {
    await delay(SETTLED.within, undefined, { signal });
    const now = await resident();
    if (Math.abs(now - last) < last * SETTLED.share || performance.now() > deadline) return now;
    last = now;
  }
}

function perConnection({ before, after, connections }: Sample): number {
  return (after - before) / connections / 1000;
}
