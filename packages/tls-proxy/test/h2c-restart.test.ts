import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tlsProxy } from "../src/index.ts";
import { type H2Client, connectH2 } from "./h2-client.ts";

let stateDir: string;
beforeEach(async () => void (stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-state-"))));
afterEach(() => rm(stateDir, { recursive: true }));

/** An app that speaks HTTP/2 without TLS, as a process of its own. */
interface AppProcess {
  readonly port: number;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** @param port 0 is any that is free */
async function startApp(port = 0): Promise<AppProcess> {
  const script = `
    const server = require("node:http2").createServer((request, response) => response.end("ok"));
    const sockets = new Set();
    server.on("connection", (socket) => sockets.add(socket));
    server.listen(${port}, "127.0.0.1", () => console.log(server.address().port));
    process.once("SIGTERM", () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });`;
  const app = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  return {
    port: Number(String((await once(app.stdout, "data"))[0])),
    async kill(signal) {
      if (app.exitCode !== null || app.signalCode !== null) return;
      app.kill(signal);
      await once(app, "exit");
    },
  };
}

async function startProxy({ port }: AppProcess, upstreamWait = 300) {
  const upstream = { host: "127.0.0.1", port, h2c: true } as const;
  const sidecar = await startSidecar(tlsProxy({ upstream, listen: "127.0.0.1:0", stateDir, upstreamWait }));
  const ca = await readFile(join(stateDir, "development-ca/ca.pem"), "utf8");
  const client = await connectH2({ port: Number(sidecar.addresses["https"]?.split(":").at(-1)), ca });
  return { sidecar, client };
}

const post = (client: H2Client) => client.request({ ":method": "POST" }, "message");

describe.each([
  ["closes all it has", "SIGTERM"],
  ["is killed", "SIGKILL"],
] as const)("an h2c app that %s", (_name, signal) => {
  test.each([
    ["a GET", (client: H2Client) => client.request()],
    ["a POST", post],
  ])("is away for %s until it is back", async (_method, request) => {
    const before = await startApp();
    const { sidecar, client } = await startProxy(before);
    await using _sidecar = sidecar;
    await using _client = client;
    expect(await request(client)).toMatchObject({ status: 200, body: "ok" });
    await before.kill(signal);
    const startedAt = performance.now();
    expect((await request(client)).status).toBe(503);
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    expect((await sidecar.get("/readyz")).text).toMatch(/^degraded: app: nothing answers at .* \(ECONNREFUSED\)/);
    const after = await startApp(before.port);
    expect(await request(client)).toMatchObject({ status: 200, body: "ok" });
    expect((await sidecar.get("/readyz")).text).toMatch(/^ready/);
    await after.kill("SIGKILL");
  });
});

test("a request that comes while an h2c app restarts is held for it", async () => {
  const before = await startApp();
  const { sidecar, client } = await startProxy(before, 20_000);
  await using _sidecar = sidecar;
  await using _client = client;
  expect((await client.request()).status).toBe(200);
  await before.kill("SIGKILL");
  const answer = client.request();
  const after = await startApp(before.port);
  expect(await answer).toMatchObject({ status: 200, body: "ok" });
  await after.kill("SIGKILL");
});

test.runIf(process.platform === "linux")(
  "an idle connection to an h2c app is probed, so that one that vanishes without a word is found gone",
  async () => {
    const app = await startApp();
    const { sidecar, client } = await startProxy(app);
    await using _sidecar = sidecar;
    await using _client = client;
    expect((await client.request()).status).toBe(200);
    const remote = ` 0100007F:${app.port.toString(16).toUpperCase().padStart(4, "0")} 01 `;
    const row = (await readFile("/proc/net/tcp", "utf8")).split("\n").find((line) => line.includes(remote)) ?? "";
    // proc_net_tcp: timer 2 is keep-alive's; when, in hundredths of a second.
    const [, timer, when = ""] = /^(?:\s*\S+){4} \S+ (\d\d):([0-9A-F]{8}) /.exec(row) ?? [];
    expect(timer).toBe("02");
    expect(Number.parseInt(when, 16)).toBeLessThanOrEqual(30_00);
    await app.kill("SIGKILL");
  },
);
