import type { BenchEngine } from "./bench-engine.ts";
import { idleTogether, probeThroughEngine, type Times } from "./idle.ts";
import { Layers } from "./layers.ts";
import { type CpuRow, type SizeRow, type TimeRow, cpuTable, memoryTable, sizeTable, timeTable } from "./report.ts";
import { liveThroughEngine, startInside } from "./starts.ts";
import {
  NGINX_IMAGE,
  NODE_IMAGE,
  type Subject,
  isSidecar,
  peers,
  polling,
  sidecars,
  withCertificate,
} from "./subjects.ts";

type Progress = (line: string) => void;

/** Seconds between the polls of the one that polls. */
const POLL = 10;

/** Measures everything, and resolves with the tables. */
export async function measure(engine: BenchEngine, quick: boolean, progress: Progress): Promise<string> {
  const subjects = quick ? sidecars : [...sidecars, withCertificate, ...peers];
  const times: Times = quick ? { settled: 2, late: 12 } : { settled: 10, late: 70 };
  progress("sizes: packing layers");
  const sizes = await sizesOf(engine, quick);
  const starts = await startsOf(engine, subjects, quick, progress);
  progress(`memory of each sidecar alone, ${times.settled} s each`);
  const alone = [];
  for (const sidecar of sidecars) {
    alone.push(...(await idleTogether(engine, [sidecar], { settled: times.settled - 1, late: times.settled })));
  }
  progress(`memory and CPU time of all four, ${times.late} s`);
  const together = await idleTogether(engine, sidecars, times);
  progress(`memory and CPU time of other ways to run them, and of peers, ${times.late} s`);
  const other = [polling, withCertificate, ...(quick ? [] : peers)];
  // two of each, so that private is what a second one costs here as well
  const others = (await idleTogether(engine, [...other, ...other], times)).slice(0, other.length);
  const cpu: CpuRow[] = [];
  for (const idle of together) {
    progress(`probe of ${idle.subject.name}`);
    const inside = starts.find(({ subject }) => subject === idle.subject)?.inside;
    cpu.push({ idle, inside, probe: await probeThroughEngine(engine, idle.subject, quick ? 3 : 20) });
  }
  const quiet = together.find(({ subject }) => subject.image === polling.image)?.cpu ?? 0;
  const poll = (((others[0]?.cpu ?? 0) - quiet) / 100) * POLL * 1000;
  return `### Sizes

Each layer packed by \`gzip -6\`; what Docker 20.10 itself pushes is 3% larger.

${sizeTable(sizes)}

### Start and end

"Process" is from before the fork by the image's own Node to the first 200, without an engine; its CPU time beside it says how
much of that is work. Both include what an empty directory asks for: tls-proxy makes its CA and certificate, repo-updater
clones. "\`docker run\`" is with a bridge network and a published port.

${timeTable(starts)}

### Memory

"Alone" has the base's pages to itself, unless something else on the machine maps them; the other columns are with all four
running (below: two of each row). Private is what nobody else maps: what one more container costs.

${memoryTable(alone, together, others, times)}

### CPU

Without health probe, ${times.late - times.settled} s; repo-updater with a period of an hour and, on its own row, of ${POLL} s, where a poll costs ${poll.toFixed(0)} ms.

${cpuTable([...cpu, ...others.map((idle) => ({ idle }))])}`;
}

async function sizesOf(engine: BenchEngine, quick: boolean): Promise<SizeRow[]> {
  const layers = new Layers(engine);
  const images = sidecars.map(({ image }) => image);
  for (const image of [...images, ...(quick ? [] : [NODE_IMAGE, NGINX_IMAGE])]) await layers.weigh(image);
  const [base = "", ...rest] = await layers.of(images[0] ?? "");
  if (rest.length === 0) throw new Error(`${images[0]} has no layer of its own above the base`);
  const rows: SizeRow[] = [{ what: "base", size: layers.size([base]), target: 45 }];
  const pulled = new Set<string>();
  for (const image of images) {
    const all = await layers.of(image);
    if (all[0] !== base) throw new Error(`${image} is not on the base of ${images[0]}; npm run images builds all anew`);
    for (const layer of all) pulled.add(layer);
    const on = image === "pillion/repo-updater" ? 15 : 1;
    rows.push({ what: `${image} on top`, size: layers.size(all.slice(1)), target: on });
  }
  rows.push({ what: "all four, base once", size: layers.size(pulled), target: 62 });
  if (quick) return rows;
  for (const image of [NODE_IMAGE, NGINX_IMAGE]) rows.push({ what: image, size: layers.size(await layers.of(image)) });
  return rows;
}

async function startsOf(engine: BenchEngine, subjects: readonly Subject[], quick: boolean, progress: Progress) {
  const rows: TimeRow[] = [];
  for (const subject of subjects) {
    progress(`start and end of ${subject.name}`);
    const inside = await startInside(engine, subject, quick ? 3 : 11);
    rows.push({
      subject,
      inside,
      lives: await liveThroughEngine(engine, subject, quick ? 2 : isSidecar(subject) ? 10 : 8),
    });
  }
  return rows;
}
