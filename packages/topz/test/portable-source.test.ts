import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { portableSource } from "../src/portable-source.ts";
import { Sampler } from "../src/sampler.ts";

const hasPs = spawnSync("ps", ["--version"]).error === undefined;
if (!hasPs) console.log("skipped: there is no ps on this system");

const { signal } = new AbortController();

describe.runIf(hasPs)("the processes by the system's own tools", () => {
  test("the same facts as from /proc, where the tools know them", async () => {
    const child = spawn("/bin/sh", ["-c", "echo up; read wait", "sh", "--password", "hunter2"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const source = portableSource();
    onTestFinished(async () => {
      source.close();
      child.kill("SIGKILL");
      await once(child, "close");
    });
    const { processes } = await new Sampler(source, "redacted").sample(signal);
    const row = processes.find(({ pid }) => pid === child.pid);
    expect(row).toMatchObject({
      parent: process.pid,
      name: expect.stringMatching(/sh$/),
      threads: null,
      commandLine: expect.stringContaining("--password [redacted]"),
    });
    expect(row?.residentBytes).toBeGreaterThan(100_000);
    expect(row?.memoryPercent).toBeGreaterThanOrEqual(0);
    expect(row?.cpuPercent).toBeGreaterThanOrEqual(0);
    expect(row?.cpuSeconds).toBeLessThan(5);
  });

  test("a busy process is seen as busy", async () => {
    const child = spawn("/bin/sh", ["-c", "echo up; while :; do :; done"], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const source = portableSource();
    onTestFinished(async () => {
      source.close();
      child.kill("SIGKILL");
      await once(child, "close");
    });
    const sampler = new Sampler(source, "redacted");
    const find = async () => (await sampler.sample(signal)).processes.find(({ pid }) => pid === child.pid);
    let row = await find();
    while ((row?.cpuSeconds ?? 0) < 0.5) row = await find();
    expect(row?.cpuPercent).toBeGreaterThan(10);
  });

  test("it ends when it is told to", async () => {
    await expect(portableSource().read(AbortSignal.abort(new Error("stopping")))).rejects.toThrow("stopping");
  });
});
