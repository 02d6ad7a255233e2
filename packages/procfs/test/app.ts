import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { readStat, supported } from "../src/index.ts";

/** Real processes need a real /proc; without one the reason is printed and the tests are skipped. */
export const onLinux = supported();
if (!onLinux) console.log("skipped: there is no Linux /proc on this system");

export interface RealProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it printed first. */
  readonly said: string;
  /** Kills it and waits until it was reaped. */
  end(): Promise<void>;
}

/** Starts a process that prints a line when it is ready. Its input ends with the test run, and so should it. */
export async function start(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<RealProcess> {
  const child = spawn(command, args, { ...options, stdio: ["pipe", "pipe", "inherit"] });
  await once(child, "spawn");
  const [said] = (await once(child.stdout ?? child, "data")) as [Buffer];
  const end = () => ended(child);
  return { pid: child.pid ?? 0, said: said.toString().trim(), end, [Symbol.asyncDispose]: end };
}

/** A shell that runs a script and then waits. */
export function startShell(script = "", options: SpawnOptions = {}): Promise<RealProcess> {
  return start("/bin/sh", ["-c", `${script}\necho ready; read wait`], options);
}

/** A process that never collects its child, whose pid it says: killed, the child stays as a zombie. */
export async function startNeglectful(): Promise<RealProcess> {
  const app = await start("/bin/sh", ["-c", "sleep 1000 & echo $!; exec sleep 1000"]);
  // the shell would still collect it; what it became by exec doesn't
  while (readStat(app.pid)?.name !== "sleep") await setImmediate();
  return app;
}

/** A Node process that runs a script and then waits. */
export function startNode(script = "", ...args: string[]): Promise<RealProcess> {
  const wait = `process.stdin.on("end", () => process.exit()).resume(); console.log("ready")`;
  return start(process.execPath, ["-e", `${script}\n;${wait}`, ...args]);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
