import { decode } from "./decode.ts";
import { MalformedProcFile } from "./malformed.ts";
import { readProcFile } from "./proc-file.ts";

/**
 * The processors' time that this process may use by its cgroups of version 2, in processors, such as 1.5: the least of what
 * `cpu.max` allows its own cgroup and each above it that it sees (the kernel's Documentation/admin-guide/cgroup-v2.rst).
 *
 * @returns undefined where nothing is limited, or where there is no cgroup of version 2
 * @throws MalformedProcFile
 */
export function cpuLimit(root = "/proc", cgroups = "/sys/fs/cgroup"): number | undefined {
  const membership = decode(readProcFile(`${root}/self/cgroup`) ?? Buffer.alloc(0));
  const [, path] = /^0::\/(.*)$/m.exec(membership) ?? [];
  if (path === undefined) return undefined;
  const names = path.split("/").filter((name) => name !== "");
  const files = [...names, ""].map((_, depth) => [cgroups, ...names.slice(0, depth), "cpu.max"].join("/"));
  const limits = files.flatMap((file) => limitIn(file) ?? []);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** `$MAX $PERIOD`, both in microseconds; `max` is no limit. The cgroup at the root has no such file. */
function limitIn(file: string): number | undefined {
  const bytes = readProcFile(file);
  if (!bytes) return undefined;
  const text = decode(bytes);
  const [, most, period] = /^(max|\d+) ([1-9]\d*)\n$/.exec(text) ?? [];
  if (most === undefined) throw new MalformedProcFile(file, text, "is no CPU limit");
  return most === "max" ? undefined : Number(most) / Number(period);
}
