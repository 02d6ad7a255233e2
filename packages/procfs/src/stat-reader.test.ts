import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recorded } from "../fixtures/recorded.ts";
import { procTree, renderStat } from "../fixtures/tree.ts";
import { readStat } from "./process-row.ts";
import { listPids } from "./scan.ts";
import { StatReader } from "./stat-reader.ts";

test.for([0, 3, 100])("reads the same with %i kept descriptors, the second time too", (descriptors) => {
  using reader = new StatReader({ root: recorded.root, descriptors });
  for (let time = 0; time < 2; time++)
    for (const pid of listPids(recorded.root)) expect(reader.read(pid)).toEqual(readStat(pid, recorded.root));
  expect(reader.kept).toBe(Math.min(descriptors, listPids(recorded.root).length));
});

test("a short line after a long one doesn't show what the long one left in the buffer", () => {
  using tree = procTree([
    { pid: 1, name: "long name here", virtualBytes: 2 ** 50 },
    { pid: 2, name: "x" },
  ]);
  using reader = new StatReader({ root: tree.root, descriptors: 2 });
  for (const pid of [1, 2, 1]) expect(reader.read(pid)).toEqual(readStat(pid, tree.root));
});

test("retain closes the descriptors of processes that are no longer there, close those of all", () => {
  using reader = new StatReader({ root: recorded.root, descriptors: 100 });
  const { master, worker, titled } = recorded.cast;
  for (const pid of [master, worker, titled]) reader.read(pid);
  reader.retain(new Set([worker, 12345]));
  expect(reader.kept).toBe(1);
  reader.close();
  expect(reader.kept).toBe(0);
  expect(reader.read(master)?.pid).toBe(master);
});

test("a kept descriptor stays with its process when another one gets the pid", () => {
  using tree = procTree([{ pid: 42, startTime: 1 }]);
  using reader = new StatReader({ root: tree.root, descriptors: 1 });
  expect(reader.read(42)?.startTime).toBe(1);
  rmSync(join(tree.root, "42"), { recursive: true });
  mkdirSync(join(tree.root, "42"));
  writeFileSync(join(tree.root, "42", "stat"), renderStat({ pid: 42, startTime: 2 }));
  expect(reader.read(42)?.startTime).toBe(1);
});

test("a process that isn't there is undefined and keeps nothing", () => {
  using tree = procTree([5]);
  using reader = new StatReader({ root: tree.root, descriptors: 10 });
  expect([reader.read(5), reader.read(6), reader.kept]).toEqual([undefined, undefined, 0]);
});
