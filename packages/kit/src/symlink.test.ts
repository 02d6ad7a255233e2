import { mkdir, mkdtempDisposable, readFile, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLink, removeSwapLink, replaceLink } from "./symlink.ts";

const temporary = () => mkdtempDisposable(join(tmpdir(), "pillion-symlink-"));

test("what stands in a link's place is told apart", async () => {
  await using temp = await temporary();
  const at = (name: string) => join(temp.path, name);
  await mkdir(at("directory"));
  await writeFile(at("file"), "");
  await symlink("file", at("good"));
  await symlink("nowhere", at("dangling"));
  await symlink("loop", at("loop"));
  await symlink("file/below", at("through a file"));
  expect(await readLink(at("missing"))).toEqual({ kind: "missing" });
  expect(await readLink(at("directory"))).toEqual({ kind: "occupied", by: "directory" });
  expect(await readLink(at("file"))).toEqual({ kind: "occupied", by: "file" });
  expect(await readLink(at("good"))).toEqual({ kind: "resolved", target: "file", path: at("file") });
  expect(await readLink(at("dangling"))).toEqual({ kind: "dangling", target: "nowhere" });
  expect(await readLink(at("loop"))).toEqual({ kind: "dangling", target: "loop" });
  expect(await readLink(at("through a file"))).toEqual({ kind: "dangling", target: "file/below" });
});

test("a link is made, and replaced, and leaves nothing beside it", async () => {
  await using temp = await temporary();
  const link = join(temp.path, "link");
  await replaceLink(link, "one");
  expect(await readlink(link)).toBe("one");
  await replaceLink(link, "two");
  await replaceLink(link, "two");
  expect(await readlink(link)).toBe("two");
  expect(await readdir(temp.path)).toEqual(["link"]);
});

test.for(["file", "directory"] as const)("a %s in the link's place is left alone", async (kind) => {
  await using temp = await temporary();
  const link = join(temp.path, "link");
  if (kind === "file") await writeFile(link, "mine");
  else await mkdir(link);
  await expect(replaceLink(link, "one")).rejects.toMatchObject({
    code: "GENERATION_LINK_OCCUPIED",
    message: `link "${link}": a ${kind} is in its place, and only links are replaced. Move it away, or choose another link`,
  });
  expect(await readdir(temp.path)).toEqual(["link"]);
  if (kind === "file") expect(await readFile(link, "utf8")).toBe("mine");
});

test("the link that a crash left unrenamed is removed", async () => {
  await using temp = await temporary();
  const link = join(temp.path, "current");
  const isOurs = (name: string) => name === "abc";
  expect(await removeSwapLink(link, isOurs)).toBe(false);
  await symlink(".worktrees/abc", join(temp.path, ".current.swap"));
  expect(await removeSwapLink(link, isOurs)).toBe(true);
  expect(await readdir(temp.path)).toEqual([]);
});

test("something else under that name is left alone", async () => {
  await using temp = await temporary();
  const left = join(temp.path, ".current.swap");
  const remove = () => removeSwapLink(join(temp.path, "current"), (name) => name === "abc");
  await symlink("mine", left);
  await expect(remove()).rejects.toMatchObject({ code: "GENERATION_PLACE_OCCUPIED" });
  expect(await readlink(left)).toBe("mine");
});
