import { execFileSync } from "node:child_process";
import { mkdir, mkdtempDisposable, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { traced } from "../test/fixtures/store.ts";
import { makeDirectory, syncDirectory, syncTree } from "./durable.ts";

const temporary = () => mkdtempDisposable(join(tmpdir(), "pillion-durable-"));

test("a tree with links, pipes and names that are not UTF-8 is written to the disk", async () => {
  await using temp = await temporary();
  await mkdir(join(temp.path, "a b/c"), { recursive: true });
  await writeFile(join(temp.path, "a b/c/file"), "x");
  await writeFile(Buffer.concat([Buffer.from(`${temp.path}/`), Buffer.from([0x66, 0xfc, 0x72])]), "latin-1");
  await symlink("nowhere", join(temp.path, "dangling"));
  // Opening a pipe for reading would wait for a writer for ever.
  execFileSync("mkfifo", [join(temp.path, "pipe")]);
  const calls = await traced(() => syncTree(temp.path));
  expect(calls.map((call) => call.replace(temp.path, "")).toSorted()).toEqual([
    "sync ",
    "sync /a b",
    "sync /a b/c",
    "sync /a b/c/file",
    "sync /f\ufffdr",
  ]);
});

test("a directory that can't be opened is an error, only its fsync may be unsupported", async () => {
  await using temp = await temporary();
  await expect(syncDirectory(join(temp.path, "missing"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("an aborted signal stops it", async () => {
  await using temp = await temporary();
  await expect(syncTree(temp.path, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});

test("missing directories are made, at any depth and more than once", async () => {
  await using temp = await temporary();
  await makeDirectory(join(temp.path, "a/b/c"));
  await makeDirectory(join(temp.path, "a/b/c"));
  expect((await stat(join(temp.path, "a/b/c"))).isDirectory()).toBe(true);
});

test.runIf(process.platform === "linux")(
  "where no directory can be made it fails at once, and a file is none",
  async () => {
    await using temp = await temporary();
    await expect(makeDirectory("/proc/made-here/below")).rejects.toMatchObject({ code: "ENOENT" });
    await writeFile(join(temp.path, "file"), "");
    await expect(makeDirectory(join(temp.path, "file"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeDirectory(join(temp.path, "file/below"))).rejects.toMatchObject({ code: "ENOTDIR" });
  },
);
