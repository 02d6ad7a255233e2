import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Clones what the demo's git server has; gives back the function that commits files there and pushes them. */
export async function clone(
  url: string,
  directory: string,
): Promise<(files: Readonly<Record<string, string>>) => Promise<void>> {
  const work = join(directory, "site");
  await git(directory, "clone", "--quiet", url, work);
  return async (files) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(work, name), text);
    await git(work, "add", "--all");
    await git(work, "-c", "user.name=A", "-c", "user.email=a@harbor.example", "commit", "--quiet", "--message=News");
    await git(work, "push", "--quiet");
  };
}

async function git(directory: string, ...args: readonly string[]): Promise<void> {
  const env = { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
  await run("git", args, { cwd: directory, env });
}
