import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseProcessQuery, supported } from "@pillion/procfs";
import { describe, expect, onTestFinished, test } from "vitest";
import { findProcess, longerNames, signalProcess } from "@pillion/kit";
import { spawnScript } from "@pillion/kit/testing";

const onLinux = supported();
if (!onLinux) console.log("skipped: there is no Linux /proc on this system");
const asRoot = process.getuid?.() === 0;
if (!asRoot) console.log("skipped in part: only root can become another user");

interface App {
  readonly pid: number;
  readonly process: ChildProcess;
  says(pattern: RegExp): Promise<string>;
}

/** A process with the token in its command line. It says `ready` first, and ends with its input. */
async function app(command: string, ...args: string[]): Promise<App> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const says = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(output)) await once(child.stdout, "data");
    return pattern.exec(output)?.[0] ?? "";
  };
  await says(/ready/);
  return { pid: child.pid ?? 0, process: child, says };
}

const nodeApp = (token: string, script: string) =>
  app(
    process.execPath,
    "-e",
    `${script}; process.stdin.on("end", () => process.exit()).resume(); console.log("ready")`,
    token,
  );
const catching = `process.on("SIGHUP", () => console.log("hangup " + process.pid))`;
const shellApp = (token: string, script: string) =>
  app("/bin/sh", "-c", `${script}; echo ready; read wait`, "sh", token);
const signal = (token: string, name: NodeJS.Signals = "SIGHUP") =>
  signalProcess({ query: parseProcessQuery(`cmdline=${token}`), signal: name });

describe.runIf(onLinux)("telling an app by signal", () => {
  test("a process that handles the signal gets it", async () => {
    const token = randomUUID();
    const { pid, says } = await nodeApp(token, catching);
    expect(await signal(token)).toMatchObject({ outcome: "signalled", process: { pid } });
    await says(new RegExp(`hangup ${pid}`));
  });

  test("no process that answers is no error", async () => {
    expect(await signal(randomUUID())).toEqual({ outcome: "absent" });
  });

  test("names that only begin as the one asked for are told, once each, and don't answer", async () => {
    await nodeApp(randomUUID(), catching);
    await nodeApp(randomUUID(), catching);
    const query = parseProcessQuery("name=node-MainThrea");
    expect(await findProcess(query)).toBeUndefined();
    expect(await longerNames(query)).toEqual(["node-MainThread"]);
    expect(await longerNames(parseProcessQuery("name=node-MainThread"))).toEqual([]);
    expect(await longerNames(parseProcessQuery("script=node"))).toEqual([]);
  });

  test("a process that has gone since is absent", async () => {
    const token = randomUUID();
    const { process: child } = await nodeApp(token, catching);
    child.kill("SIGKILL");
    await once(child, "close");
    expect(await signal(token)).toEqual({ outcome: "absent" });
  });

  test("a signal that would kill the process is not sent", async () => {
    const token = randomUUID();
    const { pid, process: child } = await shellApp(token, "true");
    await expect(signal(token)).rejects.toMatchObject({
      code: "SIGNAL_NOT_CAUGHT",
      message: `process ${pid} (sh): it does not catch SIGHUP, it could kill it. Name a process that handles SIGHUP, or another signal`,
    });
    child.stdin?.end("\n");
    expect(await once(child, "close")).toEqual([0, null]);
  });

  test("a signal that the process ignores is told as one that would do nothing", async () => {
    const token = randomUUID();
    await shellApp(token, "trap '' HUP");
    await expect(signal(token)).rejects.toThrow("it does not catch SIGHUP, it would do nothing");
  });

  test("of two that answer none is signalled, and both are named", async () => {
    const token = randomUUID();
    const [first, second] = [await nodeApp(token, catching), await nodeApp(token, catching)];
    const error: unknown = await signal(token).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "SIGNAL_AMBIGUOUS", message: expect.stringContaining("--process") });
    for (const { pid } of [first, second]) expect(String(error)).toContain(`${pid} (`);
  });

  test("of a master and its worker the master is told", async () => {
    const token = randomUUID();
    const fork = `${catching}; if (process.argv[2] !== "worker") {
      const worker = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(`${catching}; process.stdin.resume(); console.log("up")`)}, ${JSON.stringify(token)}, "worker"], { stdio: ["pipe", "pipe", "inherit"] });
      worker.stdout.once("data", () => console.log("worker " + worker.pid));
      worker.stdout.on("data", (text) => String(text).includes("hangup") && console.log("wrong one"));
    }`;
    const { pid, says } = await nodeApp(token, fork);
    const workerPid = Number((await says(/worker \d+/)).split(" ")[1]);
    onTestFinished(() => void process.kill(workerPid, "SIGKILL"));
    expect(await signal(token)).toMatchObject({ outcome: "signalled", process: { pid } });
    expect(await says(/hangup \d+|wrong one/)).toBe(`hangup ${pid}`);
  });

  test.runIf(asRoot)("a process of another user is told with both users and the capability", async () => {
    const token = randomUUID();
    const { pid } = await nodeApp(token, catching);
    const script = fileURLToPath(new URL("fixtures/signal-sender.ts", import.meta.url));
    const sender = spawnScript(script, [`cmdline=${token}$`, "SIGHUP"]);
    expect(await sender.exited).toBe(0);
    expect(sender.output()).toMatch(
      new RegExp(`^process ${pid} \\(.+\\): uid 65534 may not send it SIGHUP, it runs as uid 0\\. .*CAP_KILL`),
    );
  });
});
