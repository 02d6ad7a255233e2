import { readFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";

/** What the kernel counts for a container as a whole. */
export interface ControlGroup {
  /** CPU time of all its processes so far, children that ended among them. Milliseconds. */
  cpu(): Promise<number>;
  pids(): Promise<number[]>;
}

/** The control group of a process, of version 1 or 2. */
export async function controlGroupOf(pid: number): Promise<ControlGroup> {
  const { directory, version } = findCpuGroup(await readFile(`/proc/${pid}/cgroup`, "latin1"));
  const read = (file: string) => readFile(join(ROOT, directory, file), "latin1");
  return {
    async cpu() {
      if (version === 1) return Number(await read("cpuacct.usage")) / 1e6;
      return Number(/^usage_usec (\d+)$/m.exec(await read("cpu.stat"))?.[1]) / 1e3;
    },
    async pids() {
      return (await read("cgroup.procs")).trim().split("\n").map(Number);
    },
  };
}

/** cgroups(7): lines of `hierarchy:controllers:path`; version 2 is hierarchy 0 and names none. */
export function findCpuGroup(text: string): { readonly directory: string; readonly version: 1 | 2 } {
  const lines = text
    .trim()
    .split("\n")
    .map((line) => /^(\d+):([^:]*):(.*)$/.exec(line) ?? []);
  const [, , , first] = lines.find(([, , controllers]) => controllers?.split(",").includes("cpuacct")) ?? [];
  if (first !== undefined) return { directory: join("cpuacct", first), version: 1 };
  const [, , , second] = lines.find(([, hierarchy]) => hierarchy === "0") ?? [];
  if (second === undefined) throw new Error(`no control group counts CPU time: ${text}`);
  return { directory: second, version: 2 };
}
