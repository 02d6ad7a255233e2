import { readlink } from "node:fs/promises";
import { type ProcessRow, hasExited, readStat, scan } from "@pillion/procfs";

/** Names and pids of the processes that have ended and that nobody waited for, of those that belong. */
export async function zombies(belongs: (process: ProcessRow) => boolean | Promise<boolean>): Promise<string[]> {
  const found: string[] = [];
  for await (const process of scan()) {
    const { name, pid } = process.stat;
    if (hasExited(process.stat) && (await belongs(process))) found.push(`${name} ${pid}`);
  }
  return found;
}

/** Whether a process is one of these, or somebody's below them. */
export function descendsFrom(ancestors: readonly number[], { stat }: ProcessRow): boolean {
  for (let next: typeof stat | undefined = stat; next; next = readStat(next.parent)) {
    if (ancestors.includes(next.pid)) return true;
  }
  return false;
}

/** The PID namespace of a process, as pid_namespaces(7) names it; undefined when the process is gone. */
export async function processNamespace(pid: number): Promise<string | undefined> {
  return await readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
}
