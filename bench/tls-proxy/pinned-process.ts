import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** What is started: program, arguments, and variables besides those of the bench. */
export interface Command {
  readonly line: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A process on cores of its own, and its end. */
export interface PinnedProcess extends AsyncDisposable {
  /** Its own: taskset replaces itself by the program. */
  readonly pid: number;
  /** Its exit code, once it has ended and its output is whole. */
  readonly ended: Promise<number | null>;
  /** What it wrote to stdout and stderr, its end only. */
  output(): string;
  /** @throws when it has ended by itself */
  check(): void;
}

const KEPT_OUTPUT = 8192;
const END_GRACE = 5000;

/** @param cores as taskset takes them: `0` or `0,1` */
export function startPinned(command: Command, cores: string, directory: string): PinnedProcess {
  const [program, ...args] = command.line;
  const child = spawn("taskset", ["--cpu-list", cores, program ?? "", ...args], {
    cwd: directory,
    env: { ...process.env, ...command.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (chunk: Buffer) => (output = (output + chunk.toString("utf8")).slice(-KEPT_OUTPUT));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.on("error", (error) => (output += error.message));
  return {
    pid: child.pid ?? 0,
    ended: once(child, "close").then(([code]) => code as number | null),
    output: () => output.trim(),
    check: () => {
      if (hasEnded(child))
        throw new Error(`${basename(program ?? "")} ended by itself (${child.exitCode}): ${output.trim()}`);
    },
    [Symbol.asyncDispose]: () => end(child),
  };
}

/** @throws when it ends before it listens, with what it said; or after `patience` milliseconds */
export async function untilListening(program: PinnedProcess, port: number, patience = 15_000): Promise<void> {
  const deadline = performance.now() + patience;
  while (!(await answers(port))) {
    program.check();
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port}: ${program.output()}`);
    await delay(20);
  }
  program.check(); // somebody else's port
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), END_GRACE);
  await ended;
  clearTimeout(late);
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
