import { type Server, createServer } from "node:http";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { spawnScript } from "@pillion/kit/testing";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

async function healthcheck(args: readonly string[] = [], env: Record<string, string> = {}) {
  const spawned = spawnScript(fixture("healthcheck.ts"), args, env);
  const code = await spawned.exited;
  return { code, output: spawned.output() };
}

/** Something that answers every request alike, and where. */
async function answering(status: number, text: string, where: number | string = 0): Promise<string> {
  const server: Server = createServer((request, response) => {
    response.statusCode = request.url === "/readyz" ? status : 404;
    response.end(text);
  });
  server.listen(typeof where === "string" ? { path: where } : { host: "127.0.0.1", port: where });
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return typeof where === "string" ? `unix:${where}` : `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("ready is 0, degraded too, and the answer is shown", async () => {
  const address = await answering(200, "degraded: sync: host unknown\n");
  expect(await healthcheck(["healthcheck", "--admin-listen", address])).toEqual({
    code: 0,
    output: "degraded: sync: host unknown\n",
  });
});

test("not ready is 1", async () => {
  const address = await answering(503, "starting: sync pending\n");
  expect(await healthcheck(["healthcheck", `--admin-listen=${address}`])).toEqual({
    code: 1,
    output: "starting: sync pending\n",
  });
});

test("the address comes from the flag, else from the sidecar's variable, else it is the default", async () => {
  const [ready, other] = [await answering(200, "ready"), await answering(503, "other")];
  const env = { TLS_PROXY_ADMIN_LISTEN: ready };
  expect((await healthcheck(["healthcheck"], env)).code).toBe(0);
  expect((await healthcheck(["healthcheck", "-admin-listen", other], env)).output).toBe("other\n");
  expect((await healthcheck(["healthcheck", `--admin-listen=${other}`, `--admin-listen=${ready}`])).code).toBe(0);
  const { code, output } = await healthcheck(["healthcheck"], { TLS_PROXY_ADMIN_LISTEN: "", TOPZ_ADMIN_LISTEN: ready });
  expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining("nothing answers on 127.0.0.1:1 (") });
});

test("one that listens on all interfaces is asked on loopback", async () => {
  const port = (await answering(200, "ready")).split(":")[1];
  for (const all of [`:${port}`, `0.0.0.0:${port}`])
    expect((await healthcheck(["healthcheck", "--admin-listen", all])).code).toBe(0);
});

test("one on a unix socket is asked there", async () => {
  const directory = mkdtempSync(join(tmpdir(), "healthcheck-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const address = await answering(200, "ready", join(directory, "admin.sock"));
  expect((await healthcheck(["healthcheck", "--admin-listen", address])).code).toBe(0);
});

test("as a command of its own it takes the same", async () => {
  const address = await answering(200, "ready");
  expect((await healthcheck([`--admin-listen=${address}`])).code).toBe(0);
  expect((await healthcheck(["--admin-listen", address])).code).toBe(0);
  expect((await healthcheck(["--bogus"])).output).toContain("--bogus is nothing it takes");
});

test.each([
  [["--admin-listn=127.0.0.1:1"], "--admin-listn=127.0.0.1:1"],
  [["--help"], "--help"],
  [["--admin-listen", "127.0.0.1:1", "now"], "now"],
  [["--admin-listen"], "--admin-listen"],
])("what it doesn't take is named (%j)", async (args, unknown) => {
  expect(await healthcheck(["healthcheck", ...args])).toEqual({
    code: 1,
    output: `tls-proxy healthcheck: ${unknown} is nothing it takes, which is --admin-listen ADDRESS, or TLS_PROXY_ADMIN_LISTEN\n`,
  });
});

test("an address that is none is 1 with a message, not a stack", async () => {
  const { code, output } = await healthcheck(["healthcheck", "--admin-listen", "nonsense"]);
  expect({ code, output }).toEqual({
    code: 1,
    output: "tls-proxy healthcheck: nonsense is not an address, which is host:port or unix:/path\n",
  });
});

test("one that accepts and never answers is 1 before a kubelet gives up", async () => {
  const server = createTcpServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { code, output } = await healthcheck([
    "healthcheck",
    `--admin-listen=127.0.0.1:${(server.address() as AddressInfo).port}`,
  ]);
  expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining("gave no answer within 3000 ms") });
});

test("it loads nothing but a socket and its own two files", async () => {
  const address = await answering(200, "ready");
  const env = { NODE_OPTIONS: `--import=${new URL("fixtures/trace.ts", import.meta.url).href}` };
  const { code, output } = await healthcheck(["healthcheck", `--admin-listen=${address}`], env);
  expect(code).toBe(0);
  const asked = output.split("\n").filter((line) => line.startsWith("module "));
  const own = asked.filter((line) => !/\/fixtures\/trace\.ts$|module node:(fs|module)$/.test(line));
  expect(own.map((line) => line.replace(/^.*[/ ]/, "").replace(/\.[jt]s$/, ""))).toEqual([
    "healthcheck",
    "healthcheck",
    "node:net",
    "address",
  ]);
  const builtIn = new Set(output.split("\n").flatMap((line) => /^built-in (.+)$/.exec(line)?.[1] ?? []));
  expect(builtIn).toContain("net");
  for (const heavy of ["http", "_http_server", "https", "tls", "child_process", "worker_threads"]) {
    expect(builtIn).not.toContain(heavy);
  }
});

test("whatever is run has the command that its help names, also several in one process", async () => {
  const address = await answering(200, "ready\n");
  for (const script of ["worker.ts", "pair.ts"]) {
    await using asked = spawnScript(fixture(script), ["healthcheck", `--admin-listen=${address}`]);
    expect(await asked.exited).toBe(0);
    expect(asked.output()).toBe("ready\n");
  }
});
