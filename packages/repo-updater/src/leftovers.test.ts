import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { removeLeftovers } from "./leftovers.ts";

test("removes locks and half-written objects wherever they are, and nothing else", async () => {
  const directory = await mkdtemp(join(tmpdir(), "repo-updater-leftovers-"));
  const left = [
    "HEAD.lock",
    "gc.pid",
    "refs/heads/a.lock",
    "objects/pack/tmp_pack_x1",
    "objects/pack/.tmp-7-pack-a.pack",
    "objects/ab/tmp_obj_x",
    "worktrees/x/locked",
  ];
  const kept = [
    "HEAD",
    "refs/heads/lock",
    "refs/heads/locked",
    "refs/heads/tmp",
    "objects/pack/pack-1.pack",
    "worktrees/x/HEAD",
  ];
  for (const name of [...left, ...kept]) {
    await mkdir(join(directory, name, ".."), { recursive: true });
    await writeFile(join(directory, name), "");
  }
  const removed = await removeLeftovers(directory);
  expect(removed.map((path) => path.slice(directory.length + 1)).toSorted()).toEqual(left.toSorted());
  for (const name of kept) await access(join(directory, name));
  await rm(directory, { recursive: true });
});
