import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recorded } from "../fixtures/recorded.ts";
import { procTree } from "../fixtures/tree.ts";
import { openFileLimit } from "./descriptors.ts";
import { MalformedProcFile } from "./malformed.ts";
import { supported, systemInformation } from "./system.ts";

const { root } = recorded;

test("reads a recorded system", () => {
  const uptime = readFileSync(join(root, "uptime"), "utf8");
  const memory = /MemTotal:\s+(\d+) kB/.exec(readFileSync(join(root, "meminfo"), "utf8"));
  const boot = /btime (\d+)/.exec(readFileSync(join(root, "stat"), "utf8"));
  expect(systemInformation(root)).toEqual({
    bootTime: Number(boot?.[1]),
    clockTicksPerSecond: 100,
    pageBytes: 4096,
    totalMemoryBytes: 1024 * Number(memory?.[1]),
    cpuCount: 2,
    uptime: Number.parseFloat(uptime),
  });
});

test("reads the recorded soft limit on open files", () => {
  expect(openFileLimit(root)).toBe(20_000);
});

test("a root that isn't a Linux /proc isn't supported, and says so", () => {
  using tree = procTree([{ pid: 1 }]);
  expect(supported(tree.root)).toBe(false);
  expect(supported(root)).toBe(true);
  expect(() => systemInformation(tree.root)).toThrow(MalformedProcFile);
  expect(() => systemInformation(tree.root)).toThrow(/stat.* is missing; check that the root is a Linux \/proc/);
});
