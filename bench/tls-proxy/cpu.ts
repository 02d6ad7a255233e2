import { readFileSync, readdirSync } from "node:fs";

/** Seconds of CPU time. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** proc(5): clock ticks a second, 100 on every architecture that Node runs on. */
const TICKS = 100;

/** Of a process and all its descendants that live, each on its own: a program and its workers. */
export function cpuByProcess(pid: number): Map<number, CpuTime> {
  return new Map(familyOf(pid).map((each) => [each, parseStat(readFileSync(`/proc/${each}/stat`, "latin1"))]));
}

/** What each process used between two looks. One that came in between counts from its start. */
export function cpuBetween(before: ReadonlyMap<number, CpuTime>, after: ReadonlyMap<number, CpuTime>): CpuTime[] {
  return [...after].map(([pid, { user, system }]) => {
    const start = before.get(pid);
    return { user: user - (start?.user ?? 0), system: system - (start?.system ?? 0) };
  });
}

export function familyOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").split(" ").filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap((child) => familyOf(child))];
}

/** utime and stime of proc(5), fields 14 and 15; the name before them may hold spaces and brackets. */
export function parseStat(stat: string): CpuTime {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  if (!Number.isInteger(user) || !Number.isInteger(system)) throw new Error(`not a /proc/PID/stat: ${stat}`);
  return { user: user / TICKS, system: system / TICKS };
}
