import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { directorySource } from "../src/index.ts";
import { makePlaces } from "./harness.ts";

const { signal } = new AbortController();
const read = (directory: string, limits?: { files: number; bytes: number }) =>
  directorySource(directory, limits).read({ signal, quiet: 0 });
const texts = (files: ReadonlyMap<string, { bytes: Uint8Array }>) =>
  Object.fromEntries([...files].map(([path, { bytes }]) => [path, Buffer.from(bytes).toString()]));

test("links within the tree come out as what they lead to", async () => {
  using places = makePlaces();
  places.write("real/a.txt", "a");
  symlinkSync("real/a.txt", join(places.source, "link.txt"));
  symlinkSync("real", join(places.source, "also"));
  expect(texts(await read(places.source))).toEqual({ "real/a.txt": "a", "link.txt": "a", "also/a.txt": "a" });
});

test.each([
  ["a link out of the tree", (at: string) => symlinkSync("/etc/hostname", at), /a link that leaves the source/],
  ["a link to a directory beside it", (at: string) => symlinkSync("..", at), /a link that leaves the source/],
  ["a link to the directory it is in", (at: string) => symlinkSync(".", at), /a link to a directory that it lies in/],
  ["a pipe", (at: string) => execFileSync("mkfifo", [at]), /neither a file nor a directory/],
  [
    "a link that leads nowhere",
    (at: string) => symlinkSync("nowhere", at),
    /vanished while it was read, or leads nowhere/,
  ],
])("%s is refused and named", async (_name, make, message) => {
  using places = makePlaces();
  places.write("a.txt", "a");
  make(join(places.source, "bad"));
  const attempt = read(places.source);
  await expect(attempt).rejects.toThrow(message);
  await expect(attempt).rejects.toThrow(/bad/);
});

test("too many files, or too much in them, is refused", async () => {
  using places = makePlaces();
  for (const name of ["a", "b", "c"]) places.write(name, "1234");
  await expect(read(places.source, { files: 2, bytes: 100 })).rejects.toThrow(/more than 2 files/);
  await expect(read(places.source, { files: 3, bytes: 11 })).rejects.toThrow(/more than 11 bytes/);
  expect((await read(places.source, { files: 3, bytes: 12 })).size).toBe(3);
});

test("a file as source is refused", async () => {
  using places = makePlaces();
  places.write("a.txt", "a");
  await expect(read(join(places.source, "a.txt"))).rejects.toThrow(/a\.txt/);
});

test("what keeps changing while it is read is not taken, half of it or whole", async () => {
  using places = makePlaces();
  let version = 0;
  const change = () => places.write("a.txt", `${version++}`);
  change();
  const done = new AbortController();
  const writer = (async () => {
    for (; !done.signal.aborted; await setImmediate()) change();
  })();
  await expect(read(places.source)).rejects.toThrow(/kept changing while it was read/);
  done.abort();
  await writer;
  expect(texts(await read(places.source))).toEqual({ "a.txt": `${version - 1}` });
});

test("a file that was truncated just now is read when it has been written", async () => {
  using places = makePlaces();
  places.write("a.txt", "");
  const reading = directorySource(places.source).read({ signal, quiet: 200 });
  await delay(40);
  places.write("a.txt", "whole");
  expect(texts(await reading)).toEqual({ "a.txt": "whole" });
});

test("two files that are written one after the other are never taken from different moments", async () => {
  using places = makePlaces();
  for (let name = 0; name < 20; name++) places.write(`${name}`, "0");
  let version = 0;
  const timer = setInterval(() => {
    version++;
    for (let name = 0; name < 20; name++) places.write(`${name}`, `${version}`);
  }, 60);
  for (let round = 0; round < 30; round++) {
    const found = await read(places.source).catch(() => new Map());
    expect(new Set(Object.values(texts(found))).size).toBeLessThanOrEqual(1);
  }
  clearInterval(timer);
});

test("any tree of files is read as it was written", async () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9 _äß-][a-zA-Z0-9 ._äß-]{0,10}$/);
  const tree = fc.dictionary(name, fc.oneof(fc.string(), fc.dictionary(name, fc.string(), { minKeys: 1 })), {
    minKeys: 1,
  });
  await fc.assert(
    fc.asyncProperty(tree, async (entries) => {
      using places = makePlaces();
      const expected: Record<string, string> = {};
      for (const [top, held] of Object.entries(entries)) {
        const inner =
          typeof held === "string" ? [[top, held]] : Object.entries(held).map(([one, text]) => [`${top}/${one}`, text]);
        for (const [path = "", text = ""] of inner) expected[path] = text;
      }
      for (const [path, text] of Object.entries(expected)) places.write(path, text);
      const found = texts(await read(places.source));
      expect(found).toEqual(
        Object.fromEntries(Object.entries(expected).map(([path, text]) => [path, text.toWellFormed()])),
      );
    }),
    { numRuns: 50 },
  );
});

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)("the owner is kept where the mode shuts others out, and only there", async () => {
  using places = makePlaces();
  for (const [name, mode] of [
    ["shut", 0o640],
    ["open", 0o644],
  ] as const) {
    places.write(name, "");
    chmodSync(join(places.source, name), mode);
    chownSync(join(places.source, name), 1234, 5678);
  }
  const files = await read(places.source);
  expect(files.get("shut")?.owner).toEqual({ uid: 1234, gid: 5678 });
  expect(files.get("open")?.owner).toBeUndefined();
});

if (!isRoot) console.log("not tested: files of another user, which only root can make");

test("a name that starts with two dots is a volume's own, below the top it is a name like others", async () => {
  using places = makePlaces();
  mkdirSync(join(places.source, "..2026"));
  writeFileSync(join(places.source, "..2026/a"), "volume");
  places.write("deep/..b", "name");
  expect(texts(await read(places.source))).toEqual({ "deep/..b": "name" });
});
