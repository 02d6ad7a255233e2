import { parseCommandLine } from "./command-line.ts";
import type { ProcessIdentity } from "./identity.ts";
import { type Readable, readProcFile } from "./proc-file.ts";
import { type Stat, parseStat } from "./stat.ts";
import { type Status, parseStatus } from "./status.ts";

/** One process at one moment. `null` is what may not be read. */
export interface ProcessRow {
  readonly identity: ProcessIdentity;
  readonly stat: Stat;
  readonly status: Status | null;
  /** Arguments as the process shows them now; may hold secrets. */
  readonly commandLine: readonly string[] | null;
}

/** Everything about one process; undefined when it is gone, also when it went between two of the reads. */
export function readProcess(pid: number, { root = "/proc" }: { root?: string } = {}): ProcessRow | undefined {
  const stat = readStat(pid, root);
  if (stat === undefined) return undefined;
  const status = readStatus(pid, root);
  const commandLine = readCommandLine(pid, root);
  if (status === undefined || commandLine === undefined) return undefined;
  return { identity: { pid: stat.pid, startTime: stat.startTime }, stat, status, commandLine };
}

/**
 * `undefined`: gone, or hidden by the mount. A `hidepid=noaccess` mount answers EPERM where `hidepid=invisible` answers
 * ENOENT; both are treated alike, since a process that can't be identified is of no use to anyone.
 */
export function readStat(pid: number, root = "/proc"): Stat | undefined {
  const bytes = readProcFile(`${root}/${pid}/stat`);
  return bytes ? parseStat(bytes) : undefined;
}

/** `null`: may not be read. `undefined`: gone. */
export function readStatus(pid: number, root = "/proc"): Readable<Status> {
  const bytes = readProcFile(`${root}/${pid}/status`);
  return bytes && parseStatus(bytes);
}

/** `null`: may not be read. `undefined`: gone. */
export function readCommandLine(pid: number, root = "/proc"): Readable<string[]> {
  const bytes = readProcFile(`${root}/${pid}/cmdline`);
  return bytes && parseCommandLine(bytes);
}

/**
 * `NAME=value` texts that the process was started with, proc_pid_environ(5); none for the dead and for kernel threads. They
 * hold secrets, and only processes of the same user may be read. `null`: may not be read. `undefined`: gone.
 */
export function readEnvironment(pid: number, root = "/proc"): Readable<string[]> {
  const bytes = readProcFile(`${root}/${pid}/environ`);
  return bytes && parseCommandLine(bytes);
}
