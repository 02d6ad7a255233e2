import { readdirSync, statSync } from "node:fs";
import { MalformedProcFile } from "./malformed.ts";
import { absence, type Readable, readProcFile } from "./proc-file.ts";

/**
 * How many descriptors a process has open. Since Linux 6.2 the size of /proc/PID/fd says so, to any user; before that the
 * directory has to be listed, which takes the process's own user. `null`: may not be read. `undefined`: gone.
 */
export function openFileDescriptors(pid: number, root = "/proc"): Readable<number> {
  const directory = `${root}/${pid}/fd`;
  try {
    return statSync(directory).size || readdirSync(directory).length;
  } catch (error) {
    return absence(error);
  }
}

/** The soft limit on open descriptors of the calling process (RLIMIT_NOFILE); Infinity when unlimited. */
export function openFileLimit(root = "/proc"): number {
  const text = readProcFile(`${root}/self/limits`)?.toString() ?? "";
  const [, soft] = /^Max open files +(\d+|unlimited) /m.exec(text) ?? [];
  if (soft === undefined) throw new MalformedProcFile(`${root}/self/limits`, text, "has no limit on open files");
  return soft === "unlimited" ? Infinity : Number(soft);
}
