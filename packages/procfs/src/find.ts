import type { ProcessIdentity } from "./identity.ts";
import { type ProcessQuery, matches } from "./process-query.ts";
import { readCommandLine, readStat } from "./process-row.ts";
import { type ScanOptions, eachPid } from "./scan.ts";
import { hasExited } from "./stat.ts";

export interface FindOptions extends ScanOptions {
  /** The pid of the calling process, which never matches: its own arguments hold the pattern it looks for. */
  readonly self: number;
  /** More pids that never match, such as pid 1 where it is the pause or init process of a shared PID namespace. */
  readonly exclude?: readonly number[];
}

export interface ProcessMatch {
  readonly identity: ProcessIdentity;
  readonly name: string;
  /** 0 when the parent lives outside this PID namespace. */
  readonly parent: number;
  /** Pids of parent, grandparent and so on, matching or not. */
  readonly ancestors: readonly number[];
}

/** All processes that answer the query, ascending by pid. The dead that wait for their parent don't. */
export async function findProcesses(query: ProcessQuery, options: FindOptions): Promise<ProcessMatch[]> {
  const { root, self, exclude = [] } = options;
  const parents = new Map<number, number>();
  const found = [];
  for await (const pid of eachPid(options)) {
    const stat = readStat(pid, root);
    if (!stat) continue;
    parents.set(pid, stat.parent);
    if (pid === self || exclude.includes(pid) || hasExited(stat)) continue;
    const commandLine = () => readCommandLine(pid, root);
    if (matches(query, { name: stat.name, commandLine })) found.push(stat);
  }
  return found.map(({ pid, startTime, name, parent }) => ({
    identity: { pid, startTime },
    name,
    parent,
    ancestors: ancestorsOf(pid, parents),
  }));
}

/** Leaves out the matches that descend from another match: of a master and its workers, the master stays. */
export function topmost(found: readonly ProcessMatch[]): ProcessMatch[] {
  const pids = new Set(found.map(({ identity }) => identity.pid));
  return found.filter(({ ancestors }) => !ancestors.some((pid) => pids.has(pid)));
}

/** Parents read at different moments can form a ring when a pid was used again in between: stop at the first repetition. */
function ancestorsOf(pid: number, parents: ReadonlyMap<number, number>): number[] {
  const ancestors = new Set<number>();
  let parent = parents.get(pid) ?? 0;
  while (parent !== 0 && parent !== pid && !ancestors.has(parent)) {
    ancestors.add(parent);
    parent = parents.get(parent) ?? 0;
  }
  return [...ancestors];
}
