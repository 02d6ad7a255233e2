import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { StatReader, readProcess, readStat } from "../src/index.ts";
import { onLinux, startNeglectful, startNode } from "./app.ts";

const openDescriptors = () => readdirSync("/proc/self/fd").length;

describe.runIf(onLinux)("StatReader on real processes", () => {
  test.for([0, 10])("sees a process work, die and be reaped (%i kept descriptors)", async (descriptors) => {
    using reader = new StatReader({ descriptors });
    await using app = await startNode("while (process.cpuUsage().user < 200_000) for (let i = 0; i < 1e6; i++);");
    const first = reader.read(app.pid);
    expect(first?.userTicks).toBeGreaterThanOrEqual(10);
    expect(first).toMatchObject({
      pid: app.pid,
      parent: process.pid,
      startTime: readStat(app.pid)?.startTime,
    });
    expect(reader.kept).toBe(Math.min(descriptors, 1));
    await app.end();
    expect(reader.read(app.pid)).toBe(undefined);
    expect(reader.kept).toBe(0);
  });

  test("still reads a zombie through the kept descriptor", async () => {
    using reader = new StatReader({ descriptors: 10 });
    await using app = await startNeglectful();
    const pid = Number(app.said);
    expect(reader.read(pid)).toBeDefined();
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => expect(readProcess(pid)?.stat.state).toBe("Z"));
    expect(reader.read(pid)?.state).toBe("Z");
  });

  test("opens no more descriptors than it may, and closes them all", async () => {
    await using first = await startNode();
    await using second = await startNode();
    const before = openDescriptors();
    const reader = new StatReader({ descriptors: 1 });
    for (let time = 0; time < 3; time++) for (const { pid } of [first, second]) expect(reader.read(pid)?.pid).toBe(pid);
    expect(openDescriptors()).toBe(before + 1);
    reader.close();
    expect(openDescriptors()).toBe(before);
  });

  test("keeps descriptors without being told how many", () => {
    using reader = new StatReader();
    expect(reader.read(process.pid)?.pid).toBe(process.pid);
    expect(reader.kept).toBe(1);
  });

  test("takes another process that got the pid for another process", ({ skip }) => {
    // In a PID namespace of its own the next pid can be chosen without disturbing anyone.
    const unshare = ["--pid", "--fork", "--mount-proc", "--", process.execPath, "--conditions=@pillion/source"];
    const run = spawnSync("unshare", [...unshare, join(import.meta.dirname, "reuse-pid.ts")], {
      encoding: "utf8",
    });
    if (run.status !== 0 && /unshare|ENOENT/.test(`${run.stderr}${run.error}`)) {
      console.log("skipped: no right to make a PID namespace, or no unshare command");
      skip();
    }
    const { first, second, ...seen } = JSON.parse(run.stdout);
    expect(second.pid).toBe(first.pid);
    expect(seen).toEqual({
      before: first.startTime,
      after: second.startTime,
      firstRunning: false,
      secondRunning: true,
    });
    expect(second.startTime).toBeGreaterThan(first.startTime);
  });
});
