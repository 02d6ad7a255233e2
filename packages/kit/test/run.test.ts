import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Spawned, spawnScript } from "@pillion/kit/testing";

/** What the log ends with. */
const lastLine = ({ output }: Spawned) => JSON.parse(output().trimEnd().split("\n").at(-1) ?? "");
const script = fileURLToPath(new URL("fixtures/worker.ts", import.meta.url));

function worker(mode: string, args: readonly string[] = [], env: Record<string, string> = {}): Spawned {
  const spawned = spawnScript(script, args, { MODE: mode, ...env });
  onTestFinished(() => spawned[Symbol.asyncDispose]());
  return spawned;
}

async function started(mode: string, ...args: string[]) {
  const spawned = worker(mode, args);
  const [, admin] = await spawned.says(/"admin":"([^"]+)"/);
  return { ...spawned, get: (path: string) => fetch(`http://${admin}${path}`) };
}

describe("a log that can't be written loses lines and nothing else", () => {
  test("when its reader has gone", async () => {
    const { process, says, get, exited } = await started("idle");
    process.stdout?.destroy();
    process.kill("SIGHUP");
    await says(/^standard output can't be written \(EPIPE\)/m);
    expect((await get("/livez")).status).toBe(200);
    process.kill("SIGTERM");
    expect(await exited).toBe(0);
  });

  test("when its disk is full", async () => {
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [...process.execArgv, script], { stdio: ["ignore", full, "pipe"] });
    closeSync(full);
    onTestFinished(() => void child.kill("SIGKILL"));
    let told = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (told += text));
    await vi.waitFor(() => expect(told).toMatch(/can't be written \(ENOSPC\)/), 10_000);
    child.kill("SIGHUP");
    await vi.waitFor(() => expect(told).toMatch(/reloaded/), 10_000);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("exit codes", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s ends it cleanly: 0", async (signal) => {
    const { process, exited, output } = await started("idle");
    process.kill(signal);
    expect(await exited).toBe(0);
    expect(output()).toContain('"msg":"stopped"');
  });

  test("a start that fails is 1, and the log says why without credentials", async () => {
    const { exited, output } = worker("failing-start");
    expect(await exited).toBe(1);
    expect(output()).toContain('"level":"error"');
    expect(output()).toContain("no certificate at https://[redacted]@host/");
  });

  test.each<[string, RegExp, string?]>([
    ["failing-start", /^stopped: no certificate at https:\/\/\[redacted\]@host\/$/],
    ["done-failed", /^stopped: gave up after 3 failures$/],
    ["failed", /^stopped: the network has gone$/],
    ["stuck-stop", /^stopped: shutdown: the time-out ended with work under way\. Raise --shutdown-timeout$/, "CUT_OFF"],
    ["failing-twice", /^stopped: gave up; shutdown: the time-out ended/, "CUT_OFF"],
  ])("whatever is 1 (%s) has as its last line why, and the code if there is one", async (mode, reason, code) => {
    const spawned = worker(mode, ["--shutdown-timeout=100ms"]);
    if (mode === "stuck-stop") {
      await spawned.says(/"msg":"started"/);
      spawned.process.kill("SIGTERM");
    }
    expect(await spawned.exited).toBe(1);
    expect(lastLine(spawned)).toMatchObject({ level: "error", msg: expect.stringMatching(reason) });
    expect(lastLine(spawned).code).toBe(code);
  });

  test("work that is over is 0, work that failed for good is 1", async () => {
    expect(await worker("done").exited).toBe(0);
    expect(await worker("done-without-failure").exited).toBe(0);
    const failed = worker("done-failed");
    expect(await failed.exited).toBe(1);
    expect(failed.output()).toContain("gave up after 3 failures");
  });

  test.each(["throwing", "rejecting"])(
    "an error that nobody caught (%s) is 1 with a fatal line that tells where",
    async (mode) => {
      const { exited, output } = worker(mode);
      expect(await exited).toBe(1);
      const line = output()
        .split("\n")
        .find((one) => one.includes('"level":"fatal"'));
      expect(JSON.parse(line ?? "{}")).toMatchObject({
        msg: "unexpected error: a bug",
        stack: expect.stringContaining("worker.ts"),
      });
    },
  );

  test("misuse is 2, with all problems on stderr and nothing on stdout", async () => {
    const { process, exited, output } = worker("idle", ["--evry=5s", "--target", "app", "extra"], {
      WORKER_EVERY: "often",
      WORKER_TOKEN_FILE: "/nonexistent",
    });
    let stdout = "";
    process.stdout?.on("data", (text: string) => (stdout += text));
    expect(await exited).toBe(2);
    expect(stdout).toBe("");
    const lines = output().trimEnd().split("\n");
    expect(lines).toEqual([
      "worker: 5 problems with the options",
      "  --evry: no such option. Did you mean --every? --help lists all",
      expect.stringContaining('  argument "extra"'),
      expect.stringContaining('  WORKER_EVERY "often": not a duration'),
      expect.stringContaining('  --target "app": not an absolute URL'),
      expect.stringContaining('  WORKER_TOKEN_FILE "/nonexistent": can\'t be read (ENOENT)'),
    ]);
  });

  test("--help and --version are 0, also beside what is wrong", async () => {
    const help = worker("idle", ["--help", "--nonsense"]);
    expect(await help.exited).toBe(0);
    expect(help.output()).toMatch(/^worker 1\.2\.3: Works\.\n[\s\S]*--every DURATION[\s\S]*--shutdown-timeout/);
    const version = worker("idle", ["--version"]);
    expect(await version.exited).toBe(0);
    expect(version.output()).toBe("worker 1.2.3\n");
  });

  test("an address in use is 1 and names the option", async () => {
    const { says, exited } = await started("idle");
    const [, admin = ""] = await says(/"admin":"([^"]+)"/);
    const second = worker("idle", [`--admin-listen=${admin}`]);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain("the address is in use");
    expect(second.output()).toContain('"code":"LISTEN_FAILED"');
    void exited;
  });
});

test("an unknown variable is a warning in the log, and it runs", async () => {
  const spawned = worker("idle", [], { WORKER_EVRY: "1s", WORKER_PORT_80_TCP: "tcp://10.0.0.1:80" });
  await spawned.says(/"msg":"started"/);
  const warnings = spawned
    .output()
    .split("\n")
    .filter((line) => line.includes('"level":"warn"'));
  expect(warnings).toEqual([expect.stringContaining("WORKER_EVRY: no option is called so")]);
});

test("SIGUSR1 opens no debugger, which everybody who shares the network could use", async () => {
  const { process, says, get, output } = await started("idle");
  process.kill("SIGUSR1");
  process.kill("SIGHUP");
  await says(/reloaded/);
  expect((await get("/readyz")).status).toBe(200);
  expect(output()).not.toContain("Debugger");
});

test("SIGHUP reloads and ends nothing", async () => {
  const { process, says, get } = await started("idle");
  process.kill("SIGHUP");
  await says(/reloaded/);
  expect((await get("/readyz")).status).toBe(200);
});

describe("stopping", () => {
  test("during the drain delay it is not ready, but goes on serving", async () => {
    const { process, exited, get, says } = await started("idle", "--drain-delay=1s");
    const asked = performance.now();
    process.kill("SIGTERM");
    await says(/"msg":"stopping"/);
    const answer = await get("/readyz");
    expect([answer.status, await answer.text()]).toEqual([503, "draining\n"]);
    expect((await get("/livez")).status).toBe(200);
    expect((await get("/metrics")).status).toBe(200);
    expect(await exited).toBe(0);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(1_000);
  });

  test("a sidecar hears that it will stop before the drain delay, and that it drains after it", async () => {
    const { process, exited, get, says, output } = await started("idle", "--drain-delay=1s");
    process.kill("SIGTERM");
    await says(/"msg":"it will stop"/);
    expect((await get("/readyz")).status).toBe(503);
    expect(output()).not.toContain("it drains");
    expect(await exited).toBe(0);
    expect(output()).toMatch(/"it will stop"[^]*"it drains"[^]*"stopped"/);
  });

  test("a sidecar that doesn't end within the time-out is cut off, said and 1", async () => {
    const { process, exited, output } = await started("stuck-stop", "--shutdown-timeout=100ms");
    process.kill("SIGTERM");
    expect(await exited).toBe(1);
    expect(output()).toMatch(/"level":"error".*the time-out ended with work under way.*Raise --shutdown-timeout/);
  });

  test("two signals at once are one request", async () => {
    const { process, exited, says, output } = await started("idle", "--drain-delay=300ms");
    process.kill("SIGINT");
    await says(/"msg":"stopping"/);
    process.kill("SIGINT");
    process.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(output()).not.toContain("asked twice");
  });

  test("asking again after half a second ends it at once: 1", async () => {
    const { process, exited, output } = await started("stuck-stop", "--shutdown-timeout=1m");
    const asked = performance.now();
    const again = setInterval(() => process.kill("SIGTERM"), 50);
    expect(await exited).toBe(1);
    clearInterval(again);
    const took = performance.now() - asked;
    expect(took).toBeGreaterThanOrEqual(500);
    expect(took).toBeLessThan(5_000);
    expect(output()).toContain("asked twice, exiting at once");
  });

  test("a start that hangs is seen by the probes, and ended by a signal", async () => {
    const directory = mkdtempSync(join(tmpdir(), "run-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const socketPath = join(directory, "admin.sock");
    const ask = async (path: string) => {
      const [{ statusCode }] = await once(request({ socketPath, path }).end(), "response");
      return statusCode;
    };
    const spawned = worker("hanging-start", [`--admin-listen=unix:${socketPath}`]);
    await spawned.says(/"msg":"starting"/);
    expect([await ask("/startupz"), await ask("/readyz"), await ask("/livez")]).toEqual([503, 503, 200]);
    spawned.process.kill("SIGTERM");
    expect(await spawned.exited).toBe(0);
  });

  test("a start that ends while it is draining doesn't make it ready again", async () => {
    const spawned = worker("slow-start", ["--drain-delay=1s"]);
    await spawned.says(/"msg":"starting"/);
    spawned.process.kill("SIGTERM");
    await spawned.says(/"msg":"stopping"/);
    const [, admin] = await spawned.says(/"admin":"([^"]+)"/);
    expect((await fetch(`http://${admin}/readyz`)).status).toBe(503);
    expect(await spawned.exited).toBe(0);
  });
});

test("what only starting took is given back a moment later where V8's memory reducer is off", async () => {
  const spawned = spawnScript("--no-memory-reducer", [script], { MODE: "idle" });
  onTestFinished(() => spawned[Symbol.asyncDispose]());
  await spawned.says(/collected all/);
  expect(spawned.output()).toMatch(/"msg":"started".*\n(?:.*\n)*collected all/);
  spawned.process.kill("SIGTERM");
  expect(await spawned.exited).toBe(0);
});
