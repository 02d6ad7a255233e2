import { execFile } from "node:child_process";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Places } from "../../drivers/driver.ts";

const run = promisify(execFile);

/** Makes the bare repository `website.git` with one commit, and `website`, a clone to work in. */
export async function makeRepository(directory: string, content: string): Promise<void> {
  await git(directory, "init", "--quiet", "--bare", "--initial-branch=main", "website.git");
  await git(directory, "clone", "--quiet", "website.git", "website");
  const website = join(directory, "website");
  await git(website, "config", "user.name", "Harbor office");
  await git(website, "config", "user.email", "office@harbor.example");
  await cp(content, website, { recursive: true });
  await git(website, "add", "--all");
  await git(website, "commit", "--quiet", "--message=The noticeboard as it is");
  await git(website, "push", "--quiet", "origin", "HEAD:main");
}

/** Writes files in the clone, commits and pushes. Resolves with the commit's hash. */
export async function push(
  { places, user }: { readonly places: Pick<Places, "directory">; readonly user: number },
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const website = join(places.directory, "website");
  for (const [name, text] of Object.entries(files)) await writeFile(join(website, name), text);
  await gitAs(user, website, "add", "--all");
  await gitAs(user, website, "commit", "--quiet", "--message=News");
  await gitAs(user, website, "push", "--quiet", "origin", "HEAD:main");
  return await gitAs(user, website, "rev-parse", "HEAD");
}

async function git(directory: string, ...args: readonly string[]): Promise<string> {
  return await gitAs(process.getuid?.() ?? 0, directory, ...args);
}

/** As the group's user, since git refuses repositories of others (safe.directory); with nobody's configuration. */
async function gitAs(user: number, directory: string, ...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
  const who = process.getuid?.() === user ? {} : { uid: user, gid: user };
  const { stdout } = await run("git", args, { cwd: directory, env, ...who });
  return stdout.trim();
}
