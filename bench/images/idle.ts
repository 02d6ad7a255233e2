import { readFile } from "node:fs/promises";
import { type BenchEngine, type Running, parentOf } from "./bench-engine.ts";
import { type Memory, memoryOf } from "./memory.ts";
import type { Subject } from "./subjects.ts";

/** Seconds after it was ready. */
export interface Times {
  readonly settled: number;
  readonly late: number;
}

export interface Idle {
  readonly subject: Subject;
  readonly settled: Memory;
  readonly late: Memory;
  /** Percent of a core, between the two. */
  readonly cpu: number;
}

/** Runs containers side by side and leaves them alone: their memory soon and later, their CPU time in between. */
export async function idleTogether(engine: BenchEngine, subjects: readonly Subject[], times: Times): Promise<Idle[]> {
  const containers: (readonly [Subject, Running])[] = [];
  for (const subject of subjects) containers.push([subject, await engine.start(subject)]);
  await engine.wait(times.settled * 1000);
  const before = await Promise.all(containers.map(([, container]) => look(container)));
  await engine.wait((times.late - times.settled) * 1000);
  const after = await Promise.all(containers.map(([, container]) => look(container)));
  await engine.remove(...containers.map(([, container]) => container));
  return containers.flatMap(([subject], index) => {
    const [first, second] = [before[index], after[index]];
    if (!first || !second) return [];
    const cpu = ((second.cpu - first.cpu) / (second.at - first.at)) * 100;
    return [{ subject, settled: first.memory, late: second.memory, cpu }];
  });
}

async function look(container: Running) {
  const cpu = await container.cpu();
  const at = performance.now();
  return { cpu, at, memory: await memoryOf(await container.pids()) };
}

/** Milliseconds. */
export interface ProbeCost {
  /** CPU time of everything below the engine's shim: runc, what it becomes in the container, the probe itself. */
  readonly cpu: number;
  /** Of `docker exec`, from call to end. */
  readonly elapsed: number;
}

/** What a health probe costs with all that the engine does to run it, dockerd and containerd not counted. */
export async function probeThroughEngine(engine: BenchEngine, subject: Subject, times: number): Promise<ProbeCost> {
  const container = await engine.start(subject);
  await engine.wait(2000);
  const shim = await parentOf(container.pid);
  const before = await cpuOfTree(shim);
  const began = performance.now();
  for (let time = 0; time < times; time++) await engine.docker("exec", container.id, "/healthcheck");
  const elapsed = (performance.now() - began) / times;
  const cpu = ((await cpuOfTree(shim)) - before) / times;
  await engine.remove(container);
  return { cpu, elapsed };
}

/** Milliseconds of a process and its children that ended (proc(5): fields 14 to 17 of stat, in ticks of 10 ms). */
async function cpuOfTree(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((total, ticks) => total + Number(ticks) * 10, 0);
}
