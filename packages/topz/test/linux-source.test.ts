import { spawn } from "node:child_process";
import { once } from "node:events";
import { supported } from "@pillion/procfs";
import { describe, expect, onTestFinished, test } from "vitest";
import { linuxSource } from "../src/linux-source.ts";
import { Sampler } from "../src/sampler.ts";

const onLinux = supported();
if (!onLinux) console.log("skipped: there is no Linux /proc on this system");

const { signal } = new AbortController();

/** A shell script as a process of its own, which says when it is there. */
async function shell(script: string) {
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "pipe", "inherit"] });
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  };
  onTestFinished(end);
  await once(child.stdout, "data");
  return { pid: child.pid ?? 0, input: child.stdin, output: child.stdout, end };
}

function sampling() {
  const source = linuxSource();
  onTestFinished(() => source.close());
  const sampler = new Sampler(source, "redacted");
  return async (pid: number) => (await sampler.sample(signal)).processes.find((row) => row.pid === pid);
}

describe.runIf(onLinux)("the processes of a real /proc", () => {
  test("this process is among them, with what it really is", async () => {
    const row = await sampling()(process.pid);
    expect(row).toMatchObject({
      pid: process.pid,
      parent: process.ppid,
      state: expect.stringMatching(/^[RS]$/),
      cpuPercent: null,
    });
    expect(row?.threads).toBeGreaterThan(1);
    const resident = process.memoryUsage.rss();
    expect(row?.residentBytes).toBeGreaterThan(resident / 2);
    expect(row?.residentBytes).toBeLessThan(resident * 2);
    const { user, system } = process.cpuUsage();
    expect(Math.abs((row?.cpuSeconds ?? 0) - (user + system) / 1e6)).toBeLessThan(2);
    expect(row?.memoryPercent).toBeGreaterThan(0);
    expect(row?.memoryPercent).toBeLessThan(100);
  });

  test("a busy process uses its share of a core, an idle one nothing", async () => {
    const busy = await shell("echo up; while :; do :; done");
    const idle = await shell("echo up; read wait");
    const sample = sampling();
    await sample(busy.pid);
    const spent = async () => (await sample(busy.pid))?.cpuSeconds ?? 0;
    const before = await spent();
    const started = performance.now();
    const source = linuxSource();
    onTestFinished(() => source.close());
    const sampler = new Sampler(source, "redacted");
    await sampler.sample(signal);
    while ((await spent()) - before < 0.5);
    const wall = (performance.now() - started) / 1_000;
    const rows = (await sampler.sample(signal)).processes;
    const percent = rows.find((row) => row.pid === busy.pid)?.cpuPercent ?? 0;
    expect(percent).toBeGreaterThan((100 * 0.4) / wall);
    expect(percent).toBeLessThanOrEqual(110);
    expect(rows.find((row) => row.pid === idle.pid)?.cpuPercent).toBe(0);
  });

  test("a process that becomes another by exec shows its new name and command line", async () => {
    const child = await shell("echo up; read go; exec sleep 1000");
    const sample = sampling();
    expect(await sample(child.pid)).toMatchObject({ name: "sh", commandLine: expect.stringContaining("read go") });
    child.input.write("\n");
    const become = { name: "sleep", commandLine: "sleep 1000" };
    await expect.poll(() => sample(child.pid)).toMatchObject(become);
  });

  test("a process that ended disappears, and those that come are seen", async () => {
    const sample = sampling();
    const first = await shell("echo up; read wait");
    expect(await sample(first.pid)).toBeDefined();
    await first.end();
    expect(await sample(first.pid)).toBeUndefined();
    const second = await shell("echo up; read wait");
    expect(await sample(second.pid)).toMatchObject({ name: "sh" });
  });

  test("a process that ended and that nobody waited for stays, as a zombie", async () => {
    const parent = await shell("sleep 1000 & echo up; exec sleep 1000");
    const source = linuxSource();
    onTestFinished(() => source.close());
    const rows = async () => await source.read(signal);
    const children = async () => (await rows()).filter((row) => row.parent === parent.pid);
    // The shell would still collect its child; what it becomes by exec doesn't.
    await expect.poll(async () => (await rows()).find(({ pid }) => pid === parent.pid)?.name).toBe("sleep");
    for (const { pid } of await children()) process.kill(pid, "SIGKILL");
    await expect.poll(async () => (await children()).map(({ state }) => state)).toEqual(["Z"]);
  });

  test("hundreds that come and go during the scans cost no error", async () => {
    const storm = await shell("echo up; while :; do (exit 0); done");
    const sample = sampling();
    for (let round = 0; round < 50; round++) expect(await sample(storm.pid)).toBeDefined();
  });

  test("an aborted scan ends", async () => {
    const source = linuxSource();
    onTestFinished(() => source.close());
    const outcome = await source.read(AbortSignal.abort()).then(
      (rows) => rows.length,
      (error: unknown) => (error instanceof Error ? error.name : error),
    );
    expect(outcome).toSatisfy((what: unknown) => what === "AbortError" || Number(what) > 0);
  });
});
