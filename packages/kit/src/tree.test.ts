import { mkdir, mkdtempDisposable, readFile, readdir, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type TreeFile, writeTree } from "./tree.ts";

const temporary = () => mkdtempDisposable(join(tmpdir(), "pillion-tree-"));
const file = (text: string, mode = 0o644): TreeFile => ({ bytes: Buffer.from(text), mode });

test("files are written with the directories they need", async () => {
  await using temp = await temporary();
  await writeTree(
    temp.path,
    new Map([
      ["a/b/c.txt", file("deep")],
      ["größe 日本.txt", file("top")],
    ]),
  );
  expect(await readFile(join(temp.path, "a/b/c.txt"), "utf8")).toBe("deep");
  expect(await readFile(join(temp.path, "größe 日本.txt"), "utf8")).toBe("top");
});

test("the mode is what was asked for, whatever the umask", async () => {
  await using temp = await temporary();
  const umask = process.umask(0o077);
  try {
    await writeTree(
      temp.path,
      new Map([
        ["d/shared", file("", 0o666)],
        ["secret", file("", 0o400)],
      ]),
    );
  } finally {
    process.umask(umask);
  }
  expect((await stat(join(temp.path, "d/shared"))).mode & 0o7777).toBe(0o666);
  expect((await stat(join(temp.path, "d"))).mode & 0o7777).toBe(0o755);
  expect((await stat(join(temp.path, "secret"))).mode & 0o7777).toBe(0o400);
});

test("the owner is what was asked for", async () => {
  await using temp = await temporary();
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const owner = own.uid === 0 ? { uid: 12_345, gid: 54_321 } : own;
  await writeTree(temp.path, new Map([["a", { ...file("x", 0o640), owner }]]));
  expect(await stat(join(temp.path, "a"))).toMatchObject(owner);
  expect((await stat(join(temp.path, "a"))).mode & 0o7777).toBe(0o640);
});

test("one unsafe path, and nothing is written", async () => {
  await using temp = await temporary();
  const files = new Map([
    ["good", file("")],
    ["../bad", file("")],
  ]);
  await expect(writeTree(temp.path, files)).rejects.toMatchObject({ code: "GENERATION_PATH_UNSAFE" });
  expect(await readdir(temp.path)).toEqual([]);
});

test("a link that waits in a file's place is not followed", async () => {
  await using temp = await temporary();
  await mkdir(join(temp.path, "tree"));
  await symlink("../outside", join(temp.path, "tree/a"));
  await expect(writeTree(join(temp.path, "tree"), new Map([["a", file("x")]]))).rejects.toMatchObject({
    code: "EEXIST",
  });
  expect(await readdir(temp.path)).toEqual(["tree"]);
});

test("an aborted signal stops the writing", async () => {
  await using temp = await temporary();
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(writeTree(temp.path, new Map([["a", file("x")]]), { signal })).rejects.toThrow("enough");
  expect(await readdir(temp.path)).toEqual([]);
});
