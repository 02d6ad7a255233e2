import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { spawnScript } from "@pillion/kit/testing";
import { expect, test, vi } from "vitest";
import { Upstream, git, manyFiles, scratch, textsThrough } from "./upstream.ts";

const command = new URL("../bin/repo-updater.js", import.meta.url).pathname;
const KILLS = 32;

test("kill -9 at random moments never tears a tree, and the next start goes on", { timeout: 150_000 }, async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const root = join(directory.path, "root");
  const link = join(root, "content");
  let newest = await upstream.push(manyFiles("version 0"));
  const start = () =>
    spawnScript(command, [
      "--repo",
      upstream.path,
      "--root",
      root,
      "--period",
      "10ms",
      "--admin-listen",
      "127.0.0.1:0",
    ]);
  const over = new AbortController();
  const pusher = (async () => {
    for (let version = 1; !over.signal.aborted; version++)
      newest = await upstream.push(manyFiles(`version ${version}`));
  })();
  const seen = new Set<string>();
  const reader = (async () => {
    while (!over.signal.aborted) {
      const texts = await textsThrough(link);
      if (texts) seen.add(texts.join(" | "));
    }
  })();
  try {
    for (let kills = 0; kills < KILLS; kills++) {
      await using updater = start();
      await updater.says(/"started"/);
      // The moment is what is tested: somewhere in the first rounds.
      await setTimeout(Math.random() * 400);
      updater.process.kill("SIGKILL");
      expect(await updater.exited).toBe("SIGKILL");
    }
  } finally {
    over.abort();
    await Promise.all([pusher, reader]);
  }
  expect(seen.size).toBeGreaterThan(2);
  for (const texts of seen) expect(texts).toMatch(/^version \d+ \| files: 40$/);

  await using updater = start();
  await vi.waitFor(async () => expect(await readlink(link)).toBe(`.worktrees/${newest}`), {
    timeout: 20_000,
    interval: 20,
  });
  await vi.waitFor(async () => {
    expect((await readdir(join(root, ".worktrees"))).filter((name) => !name.startsWith("."))).toEqual([newest]);
    expect(await readdir(join(root, ".git", "worktrees"))).toHaveLength(1);
  });
  updater.process.kill("SIGTERM");
  expect(await updater.exited).toBe(0);
  expect(await git(join(root, ".git"), "fsck", "--no-dangling")).toBe("");
  expect(await git(link, "status", "--porcelain")).toBe("");
  const left = await readdir(join(root, ".git"), { recursive: true });
  expect(left.filter((name) => /\.lock$|gc\.pid|tmp_/.test(name))).toEqual([]);
});
