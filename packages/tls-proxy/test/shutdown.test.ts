import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Spawned, spawnScript, startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tlsProxy } from "../src/index.ts";
import { available } from "./available.ts";
import { connectH2 } from "./h2-client.ts";
import { OK, startRawApp } from "./raw-app.ts";
import { connectTo } from "./start-proxy.ts";

const run = promisify(execFile);
const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));

let stateDir: string;
beforeEach(async () => void (stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-ends-"))));
afterEach(() => rm(stateDir, { recursive: true }));

const listening = () => ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state-dir", stateDir];

async function addresses(proxy: Spawned): Promise<Record<string, string>> {
  const [line] = await proxy.says(/^.*"msg":"started".*$/m);
  return JSON.parse(line) as Record<string, string>;
}

/** Asks for the end, with header fields that fetch would not send. */
async function shutdown(admin = "", headers: Record<string, string> = {}, method = "POST"): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const asked = request(`http://${admin}/shutdown`, { method, headers }, (response) => {
    response.resume().once("end", () => resolve(response.statusCode ?? 0));
  });
  asked.once("error", reject).end();
  return await promise;
}

test("without --allow-shutdown there is no such page", async () => {
  await using proxy = await startSidecar(tlsProxy({ appPort: 1, listen: "127.0.0.1:0", stateDir }));
  expect(await shutdown(proxy.addresses["admin"])).toBe(404);
});

test("202, then the request in flight is answered, then exit 0", async () => {
  await using app = await startRawApp(() => {});
  await using proxy = spawnScript(bin, ["--app-port", `${app.port}`, "--allow-shutdown", ...listening()]);
  const { https = "", admin } = await addresses(proxy);
  const ca = await readFile(join(stateDir, "development-ca/ca.pem"), "utf8");
  const client = await connectTo({ port: Number(https.split(":").at(-1)), ca });
  client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
  await vi.waitFor(() => expect(app.open.size).toBe(1));
  expect(await shutdown(admin)).toBe(202);
  await proxy.says(/stopping, as POST \/shutdown asked for/);
  for (const socket of app.open) socket.write(OK);
  expect(await client.closed).toMatch(/200 OK[^]*ok$/);
  expect(await proxy.exited).toBe(0);
});

test("with server-sent events open SIGTERM ends it at once, with exit 0", async () => {
  await using app = await startRawApp((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  });
  await using proxy = spawnScript(bin, ["--app-port", `${app.port}`, "--shutdown-timeout", "1h", ...listening()]);
  const { https = "" } = await addresses(proxy);
  const ca = await readFile(join(stateDir, "development-ca/ca.pem"), "utf8");
  const server = { port: Number(https.split(":").at(-1)), ca };
  const client = await connectTo(server);
  client.send("GET /events HTTP/1.1\r\nHost: app\r\n\r\n");
  await client.receives(/event-stream/);
  await using h2 = await connectH2(server);
  const stream = h2.session.request({ ":path": "/events" });
  const broken = once(stream, "error");
  await once(stream, "response");
  proxy.process.kill("SIGTERM");
  expect(await proxy.exited).toBe(0);
  expect(await client.closed).not.toMatch(/\r\n0\r\n\r\n$/);
  await broken;
});

test("curl can ask as it is", async () => {
  await using proxy = spawnScript(bin, ["--app-port", "1", "--allow-shutdown", ...listening()]);
  const { admin } = await addresses(proxy);
  const { stdout } = await run("curl", ["-sS", "-X", "POST", "-w", "%{http_code}", `http://${admin}/shutdown`]);
  expect(stdout).toBe("stopping\n202");
  expect(await proxy.exited).toBe(0);
});

test.each([
  ["a form of another site", { Origin: "https://evil.test", "Content-Type": "application/x-www-form-urlencoded" }, 403],
  ["a sandboxed page", { Origin: "null" }, 403],
  ["a browser that says where it stands", { "Sec-Fetch-Site": "none" }, 403],
  ["a page on a name that was made to point here", { Host: "evil.test:9181", Origin: "http://evil.test:9181" }, 421],
  ["a name that was made to point here, without Origin", { Host: "evil.test:9181" }, 421],
])("refused to %s", async (_name, headers, status) => {
  await using proxy = spawnScript(bin, ["--app-port", "1", "--allow-shutdown", ...listening()]);
  const { admin } = await addresses(proxy);
  expect(await shutdown(admin, headers)).toBe(status);
  expect(await shutdown(admin, {}, "GET")).toBe(405);
  expect(await shutdown(admin, { Origin: "https://evil.test" }, "OPTIONS")).toBe(405);
  const readyz = await fetch(`http://${admin}/readyz`);
  expect([readyz.status, proxy.process.exitCode]).toEqual([200, null]);
});

test.runIf(await available("chromium", "chromium", "--version"))(
  "a real browser can't send one, from a page of another site",
  async () => {
    await using app = await startRawApp(() => {});
    await using proxy = spawnScript(bin, ["--app-port", `${app.port}`, "--allow-shutdown", ...listening()]);
    const { admin } = await addresses(proxy);
    const page = join(stateDir, "page.html");
    const form = `<form id="f" method="post" action="http://${admin}/shutdown"></form>`;
    await writeFile(page, `<!doctype html>${form}<script>f.submit()</script>`);
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${stateDir}/chromium`];
    const { stdout } = await run("chromium", [...flags, "--virtual-time-budget=3000", "--dump-dom", `file://${page}`]);
    expect(stdout).toContain("a web page may not ask for this");
    expect((await fetch(`http://${admin}/readyz`)).status).toBe(200);
  },
);
