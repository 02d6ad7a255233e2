import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

type Child = ChildProcessByStdio<null, Readable, Readable>;

const bench = fileURLToPath(new URL("../", import.meta.url));
const reason = whyNot();
if (reason !== undefined && process.env["E2E_REQUIRE"]?.includes("image")) throw new Error(reason);

test("without an engine it says so and how to go on, and exits 1", async () => {
  const { code, stderr } = await ended(start(["--quick"], { DOCKER_HOST: "unix:///nonexistent.sock" }));
  const isRoot = process.getuid?.() === 0; // who isn't is told that first
  expect(stderr).toMatch(isRoot ? /no docker engine answers .*install or start one/s : /run it as root/);
  expect(code).toBe(1);
});

test("an unknown option is named, and exits 2", async () => {
  const { code, stderr } = await ended(start(["--quik"]));
  expect(stderr).toContain("--quik");
  expect(code).toBe(2);
});

test.skipIf(reason)(`a quick run measures all four and leaves nothing behind (${reason ?? "engine"})`, async () => {
  const child = start(["--quick"]);
  const { code, stdout, stderr } = await ended(child);
  expect(code, stderr).toBe(0);
  for (const name of ["topz", "tls-proxy", "repo-updater", "config-sync"]) {
    expect(stdout).toMatch(new RegExp(`^\\| pillion/${name} on top \\| +[0-9.]+ \\|`, "m"));
    expect(stdout.match(new RegExp(`^\\| ${name} \\|.*[0-9]`, "gm"))).toHaveLength(3);
  }
  expect(stdout).not.toMatch(/NaN|undefined|Infinity/);
  expect(leftOf(child)).toBe("");
});

test.skipIf(reason)(`Ctrl-C in the middle of it removes what it made (${reason ?? "engine"})`, async () => {
  const child = start(["--quick"]);
  const end = ended(child);
  await expect.poll(() => leftOf(child), { timeout: 60_000 }).not.toBe("");
  child.kill("SIGINT");
  const { code, stderr } = await end;
  expect(stderr).toContain("interrupted; everything is removed");
  expect(code).toBe(130);
  expect(leftOf(child)).toBe("");
});

function start(args: readonly string[], environment: Record<string, string> = {}): Child {
  return spawn(process.execPath, ["images/main.ts", ...args], {
    cwd: bench,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function ended(child: Child) {
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await once(child, "exit");
  const [stdout, stderr] = await output;
  return { code, stdout, stderr };
}

/** The containers and networks of a run. */
function leftOf({ pid }: Child): string {
  const filter = ["--quiet", "--filter", `label=pillion.bench=pillion-bench-${pid}`];
  return docker("ps", "--all", ...filter) + docker("network", "ls", ...filter);
}

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  try {
    docker("image", "inspect", "pillion/topz", "pillion/git-server");
    return undefined;
  } catch (error) {
    return `no engine with the images: ${(error as Error).message.trim().split("\n").at(-1)}`;
  }
}

function docker(...args: readonly string[]): string {
  return execFileSync("docker", args, { encoding: "utf8", stdio: "pipe" });
}
