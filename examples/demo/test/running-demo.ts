import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ProcessIdentity, identify, listPids, readStat, stillRunning } from "@pillion/procfs";
import { portNames, portTable } from "../ports.ts";
import { until } from "../until.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const LIMIT = 30_000;

/** The demo as npm starts it: below a shell that waits for it, both in one process group. */
export interface RunningDemo extends AsyncDisposable {
  readonly shell: ChildProcess & { readonly pid: number };
  /** Resolves with the exit code of the shell (which is the demo's), or the signal that ended it. */
  readonly exited: Promise<number | string>;
  output(): string;
  says(pattern: RegExp): Promise<void>;
  /** Resolves when it shows what is running. */
  started(): Promise<Started>;
}

export interface Started {
  readonly main: ProcessIdentity;
  /** The processes of its table, by name. */
  readonly programs: ReadonlyMap<string, ProcessIdentity>;
  readonly directory: string;
  readonly appUrl: string;
}

/** Starts the demo on free ports, or with other arguments. */
export function runDemo(
  args: readonly string[] = portNames.map((name) => `--${portTable[name].option}=0`),
): RunningDemo {
  const words = [process.execPath, "--conditions=@pillion/source", main, ...args];
  const shell = spawn("sh", ["-c", '"$@"; exit $?', "sh", ...words], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (shell.pid === undefined) throw new Error("there is no sh");
  const { pid } = shell;
  let output = "";
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const exited = once(shell, "close").then(([code, signal]: unknown[]) => (code ?? signal) as number | string);
  const says = async (pattern: RegExp) => {
    await until(() => pattern.test(output), AbortSignal.timeout(LIMIT)).catch((cause: unknown) => {
      throw new Error(`it doesn't say ${pattern}:\n${output}`, { cause });
    });
  };
  return {
    shell: Object.assign(shell, { pid }),
    exited,
    output: () => output,
    says,
    async started() {
      await says(/What happens/);
      return { main: existing(childOf(pid)), ...shownIn(output) };
    },
    async [Symbol.asyncDispose]() {
      if (shell.exitCode === null && shell.signalCode === null) process.kill(-pid, "SIGKILL");
      await exited;
    },
  };
}

/** Resolves when no process runs that was started, and the directory is gone. */
export async function nothingIsLeftOf({ main: demo, programs, directory }: Started): Promise<void> {
  const processes = [demo, ...programs.values()];
  await until(() => !processes.some((one) => stillRunning(one)) && !existsSync(directory), AbortSignal.timeout(LIMIT));
}

function shownIn(output: string): Omit<Started, "main"> {
  const rows = [...output.matchAll(/^ {2}([a-z-]+) +(\d+) {3}http/gm)];
  return {
    programs: new Map(rows.map(([, name = "", pid]) => [name, existing(Number(pid))])),
    directory: /cd (\/.*pillion-demo-\w+)/.exec(output)?.[1] ?? "",
    appUrl: /legacy-app +\d+ +(http:\S+)/.exec(output)?.[1] ?? "",
  };
}

function childOf(parent: number): number {
  return listPids().find((pid) => readStat(pid)?.parent === parent) ?? 0;
}

function existing(pid: number): ProcessIdentity {
  const identity = identify(pid);
  if (!identity) throw new Error(`there is no process ${pid}`);
  return identity;
}
