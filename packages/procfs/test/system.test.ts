import { execFileSync } from "node:child_process";
import { cpus, totalmem, uptime } from "node:os";
import { expect, test } from "vitest";
import { openFileLimit, systemInformation } from "../src/index.ts";
import { onLinux } from "./app.ts";

test.runIf(onLinux)("the system is the one that getconf, the shell and Node know", () => {
  const system = systemInformation();
  expect(system).toMatchObject({
    pageBytes: configured("PAGESIZE"),
    clockTicksPerSecond: configured("CLK_TCK"),
    cpuCount: cpus().length,
    totalMemoryBytes: totalmem(),
  });
  expect(Math.abs(system.uptime - uptime())).toBeLessThan(5);
  expect(Math.abs(Date.now() / 1000 - system.uptime - system.bootTime)).toBeLessThan(5);
});

test.runIf(onLinux)("the limit on open files is the one that a child inherits", () => {
  const inherited = execFileSync("/bin/sh", ["-c", "ulimit -n"], { encoding: "utf8" }).trim();
  expect(openFileLimit()).toBe(inherited === "unlimited" ? Infinity : Number(inherited));
});

function configured(name: string): number {
  return Number(execFileSync("getconf", [name]));
}
