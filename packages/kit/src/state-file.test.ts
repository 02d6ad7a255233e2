import { mkdtempDisposable, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFileOnce, replaceFile } from "./state-file.ts";

const directory = () => mkdtempDisposable(join(tmpdir(), "state-file-"));

test("a file is replaced as a whole, with its mode, and nothing else is left in the directory", async () => {
  await using temp = await directory();
  const path = join(temp.path, "state.json");
  await writeFile(path, "a long old text", { mode: 0o644 });
  await replaceFile(path, "new", 0o600);
  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(temp.path)).toEqual(["state.json"]);
});

test("a reader sees the old text or the new one while it is replaced", async () => {
  await using temp = await directory();
  const path = join(temp.path, "state");
  const texts = ["a".repeat(100_000), "b".repeat(100_000)];
  await replaceFile(path, texts[0] ?? "", 0o600);
  const done = new AbortController();
  const reader = (async () => {
    while (!done.signal.aborted) expect(texts).toContain(await readFile(path, "utf8"));
  })();
  for (let round = 0; round < 50; round++) await replaceFile(path, texts[round % 2] ?? "", 0o600);
  done.abort();
  await reader;
});

test("of several that make the same file one is first, and its content stays", async () => {
  await using temp = await directory();
  const path = join(temp.path, "key");
  const outcomes = await Promise.all(["1", "2", "3"].map((text) => createFileOnce(path, text, 0o600)));
  expect(outcomes.filter(Boolean)).toHaveLength(1);
  expect(await readFile(path, "utf8")).toBe(String(outcomes.indexOf(true) + 1));
  expect(await readdir(temp.path)).toEqual(["key"]);
});

test("where it can't be written, the old file stays and nothing is left", async () => {
  await using temp = await directory();
  const file = join(temp.path, "file");
  await writeFile(file, "old");
  await expect(replaceFile(join(file, "below"), "new", 0o600)).rejects.toThrow("ENOTDIR");
  expect(await readFile(file, "utf8")).toBe("old");
});
