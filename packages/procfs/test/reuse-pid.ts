// Runs in a PID namespace of its own: one process ends, and another one gets its pid.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type ProcessIdentity, StatReader, identify, stillRunning, systemInformation } from "../src/index.ts";

using reader = new StatReader({ descriptors: 1 });
const first = await started();
const before = reader.read(first.identity.pid)?.startTime;
await ended(first.child);
const { uptime } = systemInformation();
while (systemInformation().uptime < uptime + 0.05); // start times are in hundredths of a second
writeFileSync("/proc/sys/kernel/ns_last_pid", `${first.identity.pid - 1}`); // proc_sys_kernel(5)
const second = await started();
const after = reader.read(second.identity.pid)?.startTime;
const [firstRunning, secondRunning] = [first, second].map(({ identity }) => stillRunning(identity));
await ended(second.child);
console.log(
  JSON.stringify({
    first: first.identity,
    second: second.identity,
    before,
    after,
    firstRunning,
    secondRunning,
  }),
);

async function started(): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  const child = spawn("sleep", ["1000"]);
  await once(child, "spawn");
  const identity = identify(child.pid ?? 0);
  if (!identity) throw new Error("the process is gone already");
  return { child, identity };
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
