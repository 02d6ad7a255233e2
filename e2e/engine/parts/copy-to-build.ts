import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { docker } from "../../drivers/engine.ts";
import { makeWorkingCopy } from "../../test/working-copy.ts";
import { removeImages } from "./images-of.ts";

const run = promisify(execFile);

/** The project in a place of its own, committed. Disposal removes the images that were built from it, their stages too. */
export interface CopyToBuild extends AsyncDisposable {
  readonly directory: string;
  /** What the names of images have to begin with to be removed. */
  readonly prefix: string;
  readonly commit: string;
  /** Makes another checkout of the same commit. */
  cloned(): Promise<string>;
}

export async function makeCopyToBuild(): Promise<CopyToBuild> {
  const copy = await makeWorkingCopy();
  const { directory } = copy;
  const others: string[] = [];
  const prefix = `pillion-e2e-${process.pid}`;
  await git(directory, "init", "--quiet");
  // a link, so that the pattern for the directory doesn't fit
  await writeFile(join(directory, ".git/info/exclude"), "node_modules\n");
  await git(directory, "add", "--all");
  await git(
    directory,
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@example.com",
    "commit",
    "--quiet",
    "--message=As it is",
  );
  const [commit = "", epoch = ""] = (await git(directory, "log", "-1", "--format=%H %ct")).split(" ");
  return {
    directory,
    prefix,
    commit,
    async cloned() {
      const other = await mkdtemp(join(tmpdir(), "pillion-clone-"));
      others.push(other);
      await git(tmpdir(), "clone", "--quiet", directory, other);
      await writeFile(join(other, ".git/info/exclude"), "node_modules\n");
      await symlink(join(directory, "node_modules"), join(other, "node_modules"));
      return other;
    },
    async [Symbol.asyncDispose]() {
      await removeImages(prefix);
      await removeStages(epoch);
      for (const other of others) await rm(other, { recursive: true, force: true });
      await copy[Symbol.asyncDispose]();
    },
  };
}

async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
  return (await run("git", args, { cwd: directory, env })).stdout.trim();
}

/** The classic builder keeps every stage as an image without a name. Those of this commit know its time. */
async function removeStages(epoch: string): Promise<void> {
  const nameless = (await docker("images", "--quiet", "--filter=dangling=true")).split("\n").filter(Boolean);
  for (const id of nameless) {
    const history = await docker("history", "--no-trunc", "--format={{.CreatedBy}}", id).catch(() => "");
    if (history.includes(`SOURCE_DATE_EPOCH=${epoch}`)) await docker("rmi", id).catch(() => undefined);
  }
}
