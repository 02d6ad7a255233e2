import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { cpuBetween, cpuByProcess, familyOf, parseStat } from "./cpu.ts";

test("user and system time are read past a name that holds spaces and brackets", () => {
  const stat = `42 (a b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 75 9 9 20 0 11 0 100 1000 200 0`;
  expect(parseStat(stat)).toEqual({ user: 2.5, system: 0.75 });
});

test("what isn't a stat file is refused", () => {
  expect(() => parseStat("42 (a) S 1")).toThrow(/not a/);
});

test("what was used between two looks is told by process, a new one from its start", () => {
  const before = new Map([[1, { user: 1, system: 0.5 }]]);
  const after = new Map([
    [1, { user: 3, system: 1 }],
    [2, { user: 0.25, system: 0 }],
  ]);
  expect(cpuBetween(before, after)).toEqual([
    { user: 2, system: 0.5 },
    { user: 0.25, system: 0 },
  ]);
});

test.skipIf(process.platform !== "linux")("a program's children belong to it", async () => {
  const child = spawn("sh", ["-c", "sleep 60 & echo started; wait"], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  try {
    await once(child.stdout, "data");
    const pid = child.pid ?? 0;
    expect(familyOf(pid)).toHaveLength(2);
    expect([...cpuByProcess(pid).keys()]).toEqual(familyOf(pid));
  } finally {
    process.kill(-(child.pid ?? 0));
  }
});
