import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { repository } from "./images.ts";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in the repository. Rejects when it can't be started. */
export async function execute(
  program: string,
  args: readonly string[],
  { environment = {}, show = false }: { readonly environment?: Record<string, string>; readonly show?: boolean } = {},
): Promise<Ended> {
  const child = spawn(program, args, {
    cwd: repository,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (show) {
    child.stdout.pipe(process.stdout);
    child.stderr.pipe(process.stderr);
  }
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

export function lastLine(words: string): string {
  return words.trim().split("\n").at(-1)?.trim() ?? "";
}
