import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { procTree } from "../fixtures/tree.ts";
import { cpuLimit } from "./cpu-limit.ts";

/** @param membership the text of /proc/self/cgroup @param files those of the cgroup file system */
function limitOf(membership: string | undefined, files: Readonly<Record<string, string>>): number | undefined {
  using tree = procTree([]);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(tree.root, path)), { recursive: true });
    writeFileSync(join(tree.root, path), text);
  };
  if (membership !== undefined) write("self/cgroup", membership);
  for (const [name, text] of Object.entries(files)) write(`cgroups/${name}`, text);
  return cpuLimit(tree.root, join(tree.root, "cgroups"));
}

test.each([
  ["max 100000\n", undefined],
  ["100000 100000\n", 1],
  ["150000 100000\n", 1.5],
  ["25000 50000\n", 0.5],
  ["6400000 100000\n", 64],
])("of a container that sees its own cgroup alone: %j is %s", (text, limit) => {
  expect(limitOf("0::/\n", { "cpu.max": text })).toBe(limit);
});

test("of several levels the least counts, wherever it is; the root has none", () => {
  const levels = (unit: string, slice: string) => ({ "a.slice/b.service/cpu.max": unit, "a.slice/cpu.max": slice });
  const membership = "0::/a.slice/b.service\n";
  expect(limitOf(membership, levels("100000 100000\n", "200000 100000\n"))).toBe(1);
  expect(limitOf(membership, levels("300000 100000\n", "200000 100000\n"))).toBe(2);
  expect(limitOf(membership, levels("max 100000\n", "200000 100000\n"))).toBe(2);
  expect(limitOf(membership, levels("max 100000\n", "max 100000\n"))).toBeUndefined();
});

test("beside hierarchies of version 1, and without any of version 2, there is nothing to say", () => {
  expect(limitOf("4:memory:/x\n1:cpu:/x\n0::/\n", {})).toBeUndefined();
  expect(limitOf("4:memory:/x\n1:cpu,cpuacct:/x\n", { "cpu.max": "100000 100000\n" })).toBeUndefined();
  expect(limitOf(undefined, {})).toBeUndefined();
});

test("a process outside of what its cgroup namespace shows has no limit that it could read", () => {
  expect(limitOf("0::/../elsewhere\n", {})).toBeUndefined();
});

test.each(["", "100000\n", "100000 0\n", "-1 100000\n", "100000 1000"])(
  "%j is an error, never a wrong number",
  (text) => {
    expect(() => limitOf("0::/\n", { "cpu.max": text })).toThrow(/cgroups\/cpu\.max: .* is no CPU limit/);
  },
);
