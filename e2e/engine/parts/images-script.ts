import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { repository } from "../../test/working-copy.ts";

export interface Outcome {
  readonly code: number | null;
  /** Both streams. */
  readonly said: string;
}

/** Runs what `npm run images` runs, in this repository or in a copy of it. */
export async function runImages(
  args: readonly string[],
  { directory = repository, environment = {} }: { directory?: string; environment?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, ["--conditions=@pillion/source", "images/build.ts", ...args], {
    cwd: directory,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [code, ...said] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, said: said.join("") };
}
