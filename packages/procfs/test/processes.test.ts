import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import {
  catches,
  findProcesses,
  identify,
  listPids,
  openFileDescriptors,
  parseProcessQuery,
  readEnvironment,
  readProcess,
  scan,
  stillRunning,
  topmost,
} from "../src/index.ts";
import { onLinux, start, startNeglectful, startNode, startShell } from "./app.ts";

describe.runIf(onLinux)("real processes", () => {
  test("one whose name holds parentheses, a state and a line feed is read and found", async () => {
    const directory = mkdtempSync(join(tmpdir(), "hostile-"));
    const program = join(directory, "a) R 1 (\nb\\");
    copyFileSync("/bin/sh", program);
    // argv0 is what a shell of many names, such as busybox, goes by
    await using app = await start(program, ["-c", "echo ready; read wait"], { argv0: "sh" });
    const row = readProcess(app.pid);
    expect(row?.stat).toMatchObject({ name: "a) R 1 (\nb\\", parent: process.pid, pid: app.pid });
    expect(row?.status?.name).toBe(row?.stat.name);
    expect(row?.commandLine?.[0]).toBe("sh");
    const found = await findProcesses({ name: "a) R 1 (\nb\\" }, { self: process.pid });
    expect(found.map(({ identity }) => identity)).toEqual([identify(app.pid)]);
    rmSync(directory, { recursive: true });
  });

  test("the environment is what the process was started with, and whoever inherited it is known by it", async () => {
    const env = { PATH: "/usr/bin:/bin", MARK: "a value with spaces" };
    await using app = await start("/bin/sh", ["-c", "sleep 1000 & echo $!; wait"], { env });
    const child = Number(app.said);
    expect(readEnvironment(app.pid)).toContain("MARK=a value with spaces");
    await vi.waitFor(() => expect(readEnvironment(child)).toContain("MARK=a value with spaces"));
    process.kill(child, "SIGKILL");
    await vi.waitFor(() => expect(readEnvironment(child) ?? []).toEqual([]));
  });

  test("a zombie stays listed and identified, doesn't run, and isn't found", async () => {
    await using app = await startNeglectful();
    const pid = Number(app.said);
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => expect(readProcess(pid)?.stat.state).toBe("Z"));
    expect(listPids()).toContain(pid);
    expect(readProcess(pid)).toMatchObject({ commandLine: [], status: { residentBytes: null } });
    const identity = identify(pid) ?? { pid, startTime: -1 };
    expect(identity.startTime).toBeGreaterThan(0);
    expect(stillRunning(identity)).toBe(false);
    const found = await findProcesses({ name: "sleep" }, { self: process.pid });
    const pids = found.map((match) => match.identity.pid);
    expect([pids.includes(pid), pids.includes(app.pid)]).toEqual([false, true]);
  });

  test("one that has a handler for SIGHUP catches it, one that hasn't doesn't", async () => {
    await using reloads = await startNode("process.on('SIGHUP', () => {})");
    await using dies = await startNode();
    const caught = [reloads, dies].map(({ pid }) => {
      const status = readProcess(pid)?.status;
      return status && catches(status, "SIGHUP");
    });
    expect(caught).toEqual([true, false]);
  });

  test("of a master and its worker the topmost is the master", async () => {
    const marker = `marker-${process.pid}`;
    const fork = `
      const worker = require("node:child_process").spawn(process.execPath,
        ["-e", "process.stdin.on('end', () => process.exit()).resume()", "${marker}", "worker"]);
      console.log(worker.pid);
      process.stdin.on("end", () => process.exit()).resume();`;
    await using master = await start(process.execPath, ["-e", fork, marker, "master"]);
    const worker = Number(master.said);
    const query = parseProcessQuery(`cmdline=${marker} (master|worker)$`);
    const find = () => findProcesses(query, { self: process.pid });
    // until it has called exec, a worker shows its master's command line
    await vi.waitFor(async () => expect(await find()).toHaveLength(2));
    const found = await find();
    expect(new Set(found.map(({ identity }) => identity.pid))).toEqual(new Set([master.pid, worker]));
    expect(found.find(({ identity }) => identity.pid === worker)?.parent).toBe(master.pid);
    expect(topmost(found).map(({ identity }) => identity)).toEqual([identify(master.pid)]);
  });

  test("exec changes the name and keeps the identity", async () => {
    await using app = await start("/bin/sh", ["-c", "echo ready; exec sleep 1000"]);
    const before = identify(app.pid);
    await vi.waitFor(() => expect(readProcess(app.pid)?.stat.name).toBe("sleep"));
    expect(identify(app.pid)).toEqual(before);
  });

  test("one that rewrote its title shows it as one argument", async () => {
    await using app = await startNode("process.title = 'shop: waiting'", "a-long-argument-to-be-overwritten");
    expect(readProcess(app.pid)?.commandLine).toEqual(["shop: waiting"]);
  });

  test("open descriptors are counted", async () => {
    await using app = await startShell("exec 7</dev/null 8</dev/null");
    await using other = await startShell();
    const counts = [app, other].map(({ pid }) => openFileDescriptors(pid) ?? 0);
    expect(counts[0]).toBe((counts[1] ?? 0) + 2);
    expect(counts[1]).toBeGreaterThanOrEqual(3);
    await other.end();
    expect(openFileDescriptors(other.pid)).toBe(undefined);
  });

  test("a scan sees this process and its child, while others come and go", async () => {
    await using app = await startNode();
    const storm = Array.from({ length: 20 }, () => start("/bin/sh", ["-c", "echo ready"]));
    const seen: number[] = [];
    for await (const { identity } of scan()) seen.push(identity.pid);
    for (const process of await Promise.all(storm)) await process.end();
    expect(seen).toEqual(expect.arrayContaining([process.pid, app.pid]));
  });

  test("one that ended is gone", async () => {
    const app = await startNode();
    const identity = identify(app.pid) ?? { pid: 0, startTime: 0 };
    expect(stillRunning(identity)).toBe(true);
    await app.end();
    expect([readProcess(app.pid), identify(app.pid), stillRunning(identity)]).toEqual([undefined, undefined, false]);
  });
});
