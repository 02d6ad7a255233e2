import { once } from "node:events";
import { type Server, createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { fileURLToPath } from "node:url";
import { type Spawned, spawnScript } from "@pillion/kit/testing";
import type { Snapshot } from "../src/process-table.ts";
import { describe, expect, onTestFinished, test } from "vitest";

const script = fileURLToPath(new URL("../bin/topz.js", import.meta.url));

function topz(args: readonly string[], env: Record<string, string> = {}): Spawned {
  const spawned = spawnScript(script, args, env);
  onTestFinished(() => spawned[Symbol.asyncDispose]());
  return spawned;
}

/** A running topz that has taken its first sample. */
async function started(...args: string[]) {
  const spawned = topz(["--admin-listen=127.0.0.1:0", "--interval=100ms", ...args]);
  const [, admin = ""] = await spawned.says(/"admin":"([^"]+)"/);
  const get = (path: string, init?: RequestInit) => fetch(`http://${admin}${path}`, init);
  while ((await get("/readyz")).status !== 200);
  return { ...spawned, admin, get };
}

/** What the JSON API gives. */
interface Answer extends Snapshot {
  readonly total: number;
}

describe("endpoints", () => {
  test("the page may run nothing but its own script and style", async () => {
    const { get } = await started();
    const answer = await get("/");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    const html = await answer.text();
    expect(html).not.toMatch(/\son\w+\s*=|javascript:|\sstyle=/i);
    const hashes = [...policy.matchAll(/'sha256-([^']+)'/g)].map(([, hash]) => hash);
    for (const tag of ["script", "style"]) {
      const [, content = ""] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html) ?? [];
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content));
      expect(hashes).toContain(Buffer.from(digest).toString("base64"));
    }
  });

  test("the plain text has a row for topz itself: pid, CPU %, memory %, command line", async () => {
    const { get, process } = await started();
    const text = await (await get("/topz")).text();
    const rows = text
      .trimEnd()
      .split("\n")
      .map((line) => /^ *(\d+) +([\d.]+|-) +([\d.]+|-) (.+)$/.exec(line));
    expect(rows).not.toContain(null);
    const own = rows.find((row) => Number(row?.[1]) === process.pid);
    expect(own?.[4]).toContain("bin/topz.js --admin-listen=127.0.0.1:0");
  });

  test("rows are limited, sorted and headed as asked", async () => {
    const { get } = await started();
    const lines = async (query: string) => (await (await get(`/topz?${query}`)).text()).trimEnd().split("\n");
    expect(await lines("limit=2")).toHaveLength(2);
    expect((await lines("limit=1&header=1"))[0]).toMatch(/^ +PID +%CPU +%MEM COMMAND$/);
    const pids = (await lines("sort=pid")).map((line) => Number.parseInt(line, 10));
    expect(pids).toEqual(pids.toSorted((a, b) => a - b));
  });

  test("JSON tells the same in full", async () => {
    const { get, process } = await started();
    const answer = await get("/api/v1/processes?sort=memory&limit=1000");
    expect(answer.headers.get("content-type")).toBe("application/json");
    const { total, takenAt, processes } = (await answer.json()) as Answer;
    expect(processes).toHaveLength(Math.min(total, 1_000));
    expect(Math.abs(Date.now() - Date.parse(takenAt))).toBeLessThan(10_000);
    const own = processes.find(({ pid }) => pid === process.pid);
    expect(own).toMatchObject({
      threads: expect.any(Number),
      residentBytes: expect.any(Number),
      state: expect.any(String),
    });
    const sizes = processes.map(({ residentBytes }) => residentBytes);
    expect(sizes).toEqual(sizes.toSorted((a, b) => Number(b) - Number(a)));
  });

  test("samples go on, and the second knows the CPU use", async () => {
    const { get, process } = await started();
    const ask = async () => (await (await get("/api/v1/processes")).json()) as Answer;
    const first = await ask();
    let next = await ask();
    while (next.takenAt === first.takenAt || next.overMilliseconds === null) next = await ask();
    expect(next.overMilliseconds).toBeGreaterThanOrEqual(99);
    expect(next.processes.find(({ pid }) => pid === process.pid)?.cpuPercent).toEqual(expect.any(Number));
  });

  test.each(["/topz?sort=rss", "/topz?limit=0", "/api/v1/processes?limit=many"])(
    "%s is 400 and says what may be",
    async (path) => {
      const answer = await (await started()).get(path);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toMatch(/^(sort|limit)=\w+: not a/);
    },
  );

  test("what is not for GET is 405, what isn't there 404", async () => {
    const { get } = await started();
    expect((await get("/topz", { method: "POST" })).status).toBe(405);
    expect((await get("/topz/1")).status).toBe(404);
  });

  test("metrics tell of processes, groups, scans and topz itself", async () => {
    const text = await (await (await started()).get("/metrics")).text();
    expect(text).toMatch(/^topz_processes\{state="[A-Z]"\} \d+$/m);
    expect(text).toMatch(/^topz_group_resident_bytes\{group="[^"]+"\} \d+$/m);
    expect(text).toMatch(/^topz_scan_duration_seconds_count [1-9]\d*$/m);
    expect(text).toMatch(/^topz_ready 1$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  });

  test("secrets on command lines are hidden unless asked for", async () => {
    const secret = ["--password", "hunter2"];
    const victim = spawnScript("-e", ["setInterval(() => {}, 1e6); console.log('up')", "--", ...secret]);
    onTestFinished(() => victim[Symbol.asyncDispose]());
    await victim.says(/up/);
    const rowIn = async (...args: string[]) => {
      const text = await (await (await started(...args)).get("/topz")).text();
      return text.split("\n").find((line) => line.trimStart().startsWith(`${victim.process.pid} `));
    };
    expect(await rowIn()).toMatch(/--password \[redacted\]$/);
    expect(await rowIn("--cmdline=full")).toMatch(/--password hunter2$/);
    expect(await rowIn("--cmdline=name")).not.toContain("--password");
  });
});

test("--addr adds a listener for the page and leaves the probes where they were", async () => {
  const { says, get } = await started("--addr=127.0.0.1:0");
  const [, address] = await says(/"page":"([^"]+)"/);
  expect((await get("/topz")).status).toBe(200);
  const status = async (path: string) => (await fetch(`http://${address}${path}`)).status;
  expect([await status("/"), await status("/topz"), await status("/api/v1/processes")]).toEqual([200, 200, 200]);
  expect([await status("/metrics"), await status("/config"), await status("/readyz")]).toEqual([404, 404, 404]);
});

test("SIGTERM ends it within a second, whatever connections are open", async () => {
  const { process, exited, admin, says } = await started("--listen=127.0.0.1:0");
  const [, page = ""] = await says(/"page":"([^"]+)"/);
  for (const address of [admin, page]) {
    const socket = connect(Number(address.split(":")[1]), "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    socket.write("GET /topz HT");
    await (await fetch(`http://${address}/topz`)).text();
  }
  const asked = performance.now();
  process.kill("SIGTERM");
  expect(await exited).toBe(0);
  expect(performance.now() - asked).toBeLessThan(1_000);
});

test("a port in use is 1, with the option and the remedy", async () => {
  const taken: Server = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const { exited, output } = topz(["--admin-listen=127.0.0.1:0", `--addr=127.0.0.1:${port}`]);
  expect(await exited).toBe(1);
  expect(output()).toContain("the address is in use. Stop what listens there, or choose another with --listen");
});

test("two wrong options are both named: 2", async () => {
  const { exited, output } = topz(["--interval=50ms"], { TOPZ_CMDLINE: "secret" });
  expect(await exited).toBe(2);
  expect(output()).toMatch(/^topz: 2 problems with the options\n/);
  expect(output()).toContain('--interval "50ms": less than 100ms');
  expect(output()).toContain('TOPZ_CMDLINE "secret": not a choice. Give one of redacted, full, name');
});

test("healthcheck finds it by the same flag or variable", async () => {
  const { admin, process, exited } = await started();
  const check = async (...args: Parameters<typeof topz>) => await topz(...args).exited;
  expect(await check(["healthcheck", `--admin-listen=${admin}`])).toBe(0);
  expect(await check(["healthcheck"], { TOPZ_ADMIN_LISTEN: admin })).toBe(0);
  process.kill("SIGTERM");
  await exited;
  expect(await check(["healthcheck", `--admin-listen=${admin}`])).toBe(1);
});
