// Hot path, once a process and interval: the counters come through a kept descriptor, the command line is read only when
// the process is new or was renamed by exec, which keeps the start time.
import { StatReader, type Stat, listPids, readCommandLine, systemInformation } from "@pillion/procfs";
import { setImmediate } from "node:timers/promises";
import type { ProcessReading, ProcessSource } from "./process-table.ts";

interface Known {
  readonly startTime: number;
  readonly name: string;
  readonly commandLine: readonly string[] | null;
  /** Scans until it is read anew: a process may have rewritten its title. */
  fresh: number;
}

/** Milliseconds of scanning after which others get their turn. */
const SLICE = 5;
const REREAD_EVERY = 30;

/** All processes of a /proc mount. One that vanishes meanwhile is left out. */
export function linuxSource(root = "/proc"): ProcessSource {
  const { clockTicksPerSecond, pageBytes, totalMemoryBytes } = systemInformation(root);
  const reader = new StatReader({ root });
  const known = new Map<number, Known>();
  const toReading = (stat: Stat): ProcessReading => ({
    pid: stat.pid,
    startTime: stat.startTime,
    parent: stat.parent,
    name: stat.name,
    state: stat.state,
    threads: stat.threads,
    residentBytes: stat.residentPages * pageBytes,
    cpuSeconds: (stat.userTicks + stat.systemTicks) / clockTicksPerSecond,
    commandLine: commandLineOf(stat, known, root),
  });
  return {
    totalMemoryBytes,
    async read(signal) {
      const readings: ProcessReading[] = [];
      const pids = new Set(listPids(root));
      let pause = performance.now() + SLICE;
      for (const pid of pids) {
        if (performance.now() > pause) {
          await setImmediate(undefined, { signal });
          pause = performance.now() + SLICE;
        }
        const stat = reader.read(pid);
        if (stat) readings.push(toReading(stat));
      }
      reader.retain(pids);
      for (const pid of known.keys()) if (!pids.has(pid)) known.delete(pid);
      return readings;
    },
    close: () => reader.close(),
  };
}

function commandLineOf(
  { pid, startTime, name, virtualBytes }: Stat,
  known: Map<number, Known>,
  root: string,
): readonly string[] | null {
  const before = known.get(pid);
  if (before && before.startTime === startTime && before.name === name && before.fresh-- > 0) return before.commandLine;
  const commandLine = readCommandLine(pid, root) ?? null;
  // In the middle of exec the new name is there and the arguments are not; only kernel threads and zombies never have any.
  const isComplete = virtualBytes === 0 || (commandLine !== null && commandLine.length > 0);
  known.set(pid, { startTime, name, commandLine, fresh: isComplete ? REREAD_EVERY : 0 });
  return commandLine;
}
