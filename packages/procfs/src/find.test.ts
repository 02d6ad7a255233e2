import { expect, test } from "vitest";
import { recorded } from "../fixtures/recorded.ts";
import { procTree } from "../fixtures/tree.ts";
import { findProcesses, topmost } from "./find.ts";

const pids = (found: Awaited<ReturnType<typeof findProcesses>>) => found.map(({ identity }) => identity.pid);

test("finds recorded processes by name, and the topmost is the master", async () => {
  const { root, cast } = recorded;
  const found = await findProcesses({ name: "node-MainThread" }, { root, self: cast.self });
  expect(pids(found)).toEqual([cast.master, cast.worker]);
  expect(found[1]).toMatchObject({
    parent: cast.master,
    ancestors: [cast.master, cast.self, expect.any(Number)],
  });
  expect(pids(topmost(found))).toEqual([cast.master]);
});

test("finds recorded processes by title", async () => {
  const { root, cast } = recorded;
  expect(pids(await findProcesses({ commandLine: /^shop: / }, { root, self: 0 }))).toEqual([cast.titled]);
});

test("a worker below a shell below its master isn't topmost, though the shell doesn't match", async () => {
  using tree = procTree([
    { pid: 10, name: "app", parent: 1 },
    { pid: 11, name: "sh", parent: 10 },
    { pid: 12, name: "app", parent: 11 },
    { pid: 20, name: "app", parent: 1 },
  ]);
  expect(pids(topmost(await findProcesses({ name: "app" }, { ...tree, self: 0 })))).toEqual([10, 20]);
});

test("never finds itself, what is excluded, what is dead or what has vanished", async () => {
  using tree = procTree([
    { pid: 1, cmdline: "app\0" },
    { pid: 2, cmdline: "app\0" },
    { pid: 3, cmdline: "app\0" },
    { pid: 4, cmdline: "app\0", state: "Z" },
    5,
  ]);
  const found = await findProcesses({ commandLine: /app/ }, { ...tree, self: 2, exclude: [1] });
  expect(pids(found)).toEqual([3]);
});

test("parents that form a ring, read while pids were used again, don't keep it busy", async () => {
  using tree = procTree([
    { pid: 10, name: "app", parent: 11 },
    { pid: 11, name: "sh", parent: 10 },
    { pid: 12, name: "app", parent: 12 },
  ]);
  const found = await findProcesses({ name: "app" }, { ...tree, self: 0 });
  expect(found.map(({ ancestors }) => ancestors)).toEqual([[11], []]);
});
