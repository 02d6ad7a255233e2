import { totalmem } from "node:os";
import pidusage from "pidusage";
import psList from "ps-list";
import type { ProcessReading, ProcessSource } from "./process-table.ts";

/** Where there is no Linux /proc: the system's own tools, through ps-list for the processes and pidusage for their use. */
export function portableSource(): ProcessSource {
  return {
    totalMemoryBytes: totalmem(),
    async read(signal) {
      const listed = await psList();
      signal.throwIfAborted();
      const pids = listed.map(({ pid }) => pid);
      const usage = await pidusage(pids).catch((): Record<string, pidusage.Status | undefined> => ({}));
      return listed.map((one): ProcessReading => {
        const use = usage[one.pid];
        return {
          pid: one.pid,
          startTime: one.startTime?.getTime() ?? 0,
          parent: one.ppid,
          name: one.name,
          state: "?",
          threads: null,
          residentBytes: use?.memory ?? null,
          cpuSeconds: use ? use.ctime / 1000 : null,
          cpuPercent: use?.cpu ?? one.cpu ?? null,
          commandLine: one.cmd?.split(" ") ?? null,
        };
      });
    },
    close: () => pidusage.clear(),
  };
}
