import { decode } from "./decode.ts";
import { type Readable, readProcFile } from "./proc-file.ts";

/**
 * The names of all network devices in this process's network namespace, loopback among them, whether they are up or have
 * an address or not (proc_pid_net(5)): two lines of headings, then one line a device, `name: counters`.
 */
export function networkDevices(root = "/proc"): Readable<string[]> {
  const bytes = readProcFile(`${root}/self/net/dev`);
  if (!bytes) return bytes;
  return [...decode(bytes).matchAll(/^ *([^\s:]+):/gm)].flatMap(([, name]) => name ?? []);
}
