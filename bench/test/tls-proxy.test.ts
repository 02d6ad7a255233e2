import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

type Child = ChildProcessByStdio<null, Readable, Readable>;

const bench = fileURLToPath(new URL("../", import.meta.url));
const short = ["--runs", "1", "--seconds", "1"];
const reason = whyNot();
if (reason !== undefined && process.env["E2E_REQUIRE"]?.includes("peers")) throw new Error(reason);

test("an unknown option is named, and exits 2", async () => {
  const { code, stderr } = await ended(start(["--quik"]));
  expect(stderr).toContain("--quik");
  expect(code).toBe(2);
});

test.skipIf(reason)(
  `a short run has a row for every proxy that works, and writes nothing (${reason ?? "peers"})`,
  async () => {
    const results = () => readFileSync(join(bench, "RESULTS.md"), "utf8");
    const before = results();
    const peers = "nginx,haproxy,relay,http-proxy,http-proxy-3,undici,fast-proxy,httpxy";
    const { code, stdout, stderr } = await ended(start(["--only", "http1-1k", "--peers", peers, ...short]));
    expect(code, stderr).toBe(0);
    for (const name of peers.split(",")) expect(stdout, stderr).toMatch(new RegExp(`^\\| ${name} \\| \\d+ \\(`, "m"));
    expect(stdout).not.toMatch(/NaN|undefined|Infinity|is out/);
    expect(results()).toBe(before);
  },
);

test.skipIf(reason)(
  `one that can't start or answers wrongly is out with its reason (${reason ?? "peers"})`,
  async () => {
    const fake = `wrong=${process.execPath} ${join(bench, "test/wrong-answer.ts")} {port} {pem}`;
    const refused = "refused=nginx --no-such-option";
    const args = ["--only", "http1-1k", "--peers", "nginx", "--command", fake, "--command", refused, ...short];
    const { code, stdout, stderr } = await ended(start(args));
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^- wrong is out: the answer to \/1k is not the app's: 1024 bytes, or other ones$/m);
    expect(stdout).toMatch(/^- refused is out: nginx ended by itself \(1\): .*invalid option/m);
    expect(stdout).toMatch(/^\| nginx \| \d+/m);
  },
);

test.skipIf(reason)(`Ctrl-C in the middle of it ends and removes all that it made (${reason ?? "peers"})`, async () => {
  const child = start(["--only", "http1-1k", "--peers", "nginx", "--seconds", "60"]);
  const end = ended(child);
  await expect.poll(() => processesOf(child), { timeout: 30_000 }).toContain("h2load");
  expect(leftOf(child)).toHaveLength(1);
  child.kill("SIGINT");
  const { code, stderr } = await end;
  expect(stderr).toContain("interrupted; everything is removed");
  expect(code).toBe(130);
  expect(leftOf(child)).toEqual([]);
});

function start(args: readonly string[]): Child {
  return spawn(process.execPath, ["tls-proxy/main.ts", ...args], { cwd: bench, stdio: ["ignore", "pipe", "pipe"] });
}

async function ended(child: Child) {
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await once(child, "exit");
  const [stdout, stderr] = await output;
  return { code, stdout, stderr };
}

/** Names of what it started. */
function processesOf(child: Child): string {
  return spawnSync("ps", ["--ppid", `${child.pid}`, "-o", "comm="], { encoding: "utf8" }).stdout;
}

function leftOf(child: Child): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`pillion-bench-${child.pid}-`));
}

function whyNot(): string | undefined {
  if (process.platform !== "linux") return "it reads /proc, so only Linux can run it";
  if (availableParallelism() < 2) return "it needs two cores";
  const lacking = ["nginx", "haproxy", "h2load", "openssl", "taskset"].filter(
    (name) => spawnSync(name, ["--version"]).error !== undefined,
  );
  return lacking.length > 0 ? `there is no ${lacking.join(", ")}` : undefined;
}
