/**
 * Runs in the container, by the image's own Node: `node inside.ts '{"program": …}'` starts the program several times,
 * and writes to stdout how long each took from before its fork to the first 200, and the CPU time of a health probe.
 * Its parent's clock and its parent's record of children that ended are all that is needed: no engine is in between.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { untilReady } from "./ready.ts";

export interface Task {
  readonly program: string;
  /** Of each start; the first is not counted: it fills the page cache. */
  readonly runs: readonly (readonly string[])[];
  readonly port: number;
  /** Zero where the image has none. */
  readonly probes: number;
}

export interface Found {
  /** Milliseconds from fork to ready. */
  readonly starts: readonly number[];
  /** Milliseconds of CPU time until then, of children that ended as well. */
  readonly cpu: readonly number[];
  /** Milliseconds of CPU time of one probe. */
  readonly probe: number | undefined;
}

/** proc(5): the kernel counts in clock ticks, 100 a second on every architecture that Node runs on. */
const TICK = 10;

const task = JSON.parse(process.argv[2] ?? "") as Task;
const starts: number[] = [];
const cpu: number[] = [];
let probe: number | undefined;
for (const [index, args] of task.runs.entries()) {
  const began = performance.now();
  const child = spawn(task.program, args, { stdio: ["ignore", 2, 2] }); // stdout is for what is found
  const early = new AbortController();
  const ended = once(child, "exit").finally(() => early.abort());
  await untilReady(task.port, early.signal);
  const elapsed = performance.now() - began;
  if (index > 0) {
    starts.push(elapsed);
    cpu.push(cpuOf(child.pid ?? 0));
  }
  if (index === task.runs.length - 1 && task.probes > 0) probe = await probeCpu(task.probes);
  child.kill("SIGTERM");
  await ended;
}
process.stdout.write(JSON.stringify({ starts, cpu, probe } satisfies Found));

async function probeCpu(times: number): Promise<number> {
  const before = endedChildrenCpu("self");
  for (let time = 0; time < times; time++) {
    const [code] = await once(spawn("/healthcheck", { stdio: "ignore" }), "exit");
    if (code !== 0) throw new Error(`/healthcheck ended with ${code}`);
  }
  return (endedChildrenCpu("self") - before) / times;
}

/** Milliseconds of CPU time of a process: of its threads in nanoseconds, and of its children that ended. */
function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((id) =>
    readFileSync(`/proc/${pid}/task/${id}/schedstat`, "latin1"),
  );
  const nanoseconds = threads.reduce((total, text) => total + Number(text.split(" ")[0]), 0);
  return nanoseconds / 1e6 + endedChildrenCpu(pid);
}

/** cutime and cstime of proc(5), fields 16 and 17, as milliseconds. */
function endedChildrenCpu(pid: number | "self"): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * TICK;
}
