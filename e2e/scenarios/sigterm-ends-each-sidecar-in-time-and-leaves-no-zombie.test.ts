import { execFileSync } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { type Group, sidecarNames } from "../drivers/driver.ts";
import { scenario } from "../drivers/scenario.ts";
import { statusLine } from "./parts/asking.ts";
import { noticeboard } from "./parts/noticeboard.ts";
import { processes } from "./parts/processes.ts";

/** What `--shutdown-timeout` is when nobody says. */
const DEADLINE = 8_000;

scenario(
  "SIGTERM ends each sidecar within its deadline with exit 0, in the middle of git work, too, and leaves no zombie",
  { on: ["process", "image", "pod"] },
  async ({ start }) => {
    const group = await start(noticeboard(...sidecarNames));
    await expect.poll(() => statusLine(group, "worker")).toBeDefined();
    const held = await holdGit(group);
    try {
      await expect.poll(() => gits(group)).not.toEqual([]);
      expect((await stop(group, "repo-updater")).code).toBe(0);
      await expect.poll(() => gits(group)).toEqual([]);
    } finally {
      await held.close();
    }
    for (const member of ["config-sync", "tls-proxy", "topz", "app"] as const) {
      expect((await stop(group, member)).code, member).toBe(0);
    }
  },
);

async function stop(group: Group, member: Group["members"][number]) {
  const ended = await group.stop(member);
  expect(ended.milliseconds, member).toBeLessThan(DEADLINE);
  await expect.poll(() => group.zombies(), { message: `after ${member}` }).toEqual([]);
  return ended;
}

/** The processes that serve the repository, which they name on their command line. */
async function gits(group: Group): Promise<string[]> {
  const rows = await processes(group);
  return rows
    .map((row) => row.commandLine)
    .filter((line) => /^\S*git.*website\.git/.test(line) && line.includes(group.places.directory));
}

/**
 * Puts a pipe in the place of the repository's HEAD: the next git that reads it waits for as long as we hold the other end.
 * Resolves when one waits: a pipe that nobody reads can't be opened for writing without blocking, fifo(7).
 */
async function holdGit({ places }: Group): Promise<FileHandle> {
  const head = join(places.directory, "website.git/HEAD");
  execFileSync("mkfifo", [`${head}.pipe`]);
  await rename(`${head}.pipe`, head);
  let handle: FileHandle | undefined;
  await expect
    .poll(async () => (handle = await open(head, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined)))
    .toBeDefined();
  if (!handle) throw new Error("nobody read HEAD");
  return handle;
}
