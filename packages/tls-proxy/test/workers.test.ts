import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { startSidecar } from "@pillion/kit/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { tlsProxy } from "../src/index.ts";
import { makeAuthority } from "./certificates/pki.ts";
import { answering, OK, startRawApp } from "./raw-app.ts";
import { connectTo } from "./start-proxy.ts";
import { startTcpApp } from "./start-tcp.ts";
import { startWorkers } from "./start-workers.ts";
import { REQUEST, authority, connectToBoth, path, stateDir } from "./worker-clients.ts";

test("both workers get connections, and one page of metrics has them all", async () => {
  await using app = await startRawApp(answering(OK));
  await using proxy = await startWorkers(["--app-port", `${app.port}`, "--state-dir", stateDir]);
  const clients = await connectToBoth(proxy);
  const spread = proxy.spread();
  expect(spread.every((count) => count > 0)).toBe(true);
  for (const client of clients) client.send(REQUEST);
  await Promise.all(clients.map((client) => client.receives(/ok$/)));
  expect(await proxy.metric("connections")).toBe(clients.length);
  expect(await proxy.metric('requests_total{code="2xx"}')).toBe(clients.length);
  expect(await proxy.metric("request_duration_seconds_count")).toBe(clients.length);
  expect(await proxy.metric('handshakes_total{outcome="TLSv1.3"}')).toBe(clients.length);
  expect(await proxy.metric("workers")).toBe(2);
  expect(await proxy.metric('build_info{version="0.1.0"}')).toBe(1);
  expect((await proxy.get("/metrics")).match(/^process_start_time_seconds .*$/gm)).toHaveLength(1);
  expect(JSON.parse(await proxy.get("/config"))).toMatchObject({ "tls-proxy": { workers: 2 } });
});

test("the access log of both is whole lines, one for each request, and says which worker wrote it", async () => {
  const app = createServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
  await once(app, "listening");
  onTestFinished(() => void app.close());
  const { port } = app.address() as AddressInfo;
  await using proxy = await startWorkers(["--app-port", `${port}`, "--state-dir", stateDir, "--access-log", "json"]);
  const clients = await connectToBoth(proxy);
  const each = 50;
  for (const client of clients) client.send(REQUEST.repeat(each));
  const answers = () => clients.map((client) => client.text().split("200 OK").length - 1);
  await vi.waitUntil(() => answers().every((count) => count === each), { timeout: 20_000 });
  proxy.spawned.process.kill("SIGTERM");
  expect(await proxy.spawned.exited).toBe(0);
  const lines = proxy.spawned.output().trim().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as { msg: string; worker?: number });
  const accesses = entries.filter(({ msg }) => msg === "access");
  expect(accesses).toHaveLength(clients.length * each);
  expect(new Set(accesses.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
});

test("together the workers have as many connections as may be open, and no more", async () => {
  const flags = ["--app-port", "1", "--state-dir", stateDir, "--max-connections", "3"];
  await using proxy = await startWorkers(flags);
  const ca = await authority();
  const clients: Promise<unknown>[] = [];
  const more = () =>
    connectTo({ port: proxy.port, ca }).then(({ socket }) => onTestFinished(() => void socket.destroy()));
  // The system chooses the worker: with so many each has had more than its share.
  for (let count = 0; count < 40; count++) clients.push(more().catch(() => {}));
  await Promise.all(clients);
  expect(await proxy.metric("connections")).toBe(3);
});

test("--mode tcp is served by workers too", async () => {
  await using app = await startTcpApp((socket) => socket.pipe(socket));
  const flags = ["--mode", "tcp", "--app-port", `${app.port}`, "--state-dir", stateDir];
  await using proxy = await startWorkers(flags);
  const clients = await connectToBoth(proxy);
  for (const client of clients) client.send("hello");
  await Promise.all(clients.map((client) => client.receives(/^hello$/)));
  expect(await proxy.metric('tcp_bytes_total{direction="to_app"}')).toBe(5 * clients.length);
  for (const { socket } of clients) socket.end();
  await Promise.all(clients.map(({ closed }) => closed));
  proxy.spawned.process.kill("SIGTERM");
  expect(await proxy.spawned.exited).toBe(0);
});

test("who listens there already is not joined: exit 1", async () => {
  await using proxy = await startWorkers(["--app-port", "1", "--state-dir", stateDir]);
  const second = startWorkers(["--app-port", "1", "--state-dir", stateDir, "--listen", `127.0.0.1:${proxy.port}`]);
  await expect(second).rejects.toThrow(/ended with 1 [^]*LISTEN_FAILED[^]*the address is in use/);
});

test("a client rule that is a function in one process is the same rule in the workers", async () => {
  const ca = await makeAuthority("clients");
  await writeFile(path("clients.pem"), ca.ca);
  const { cert, key } = await ca.issue({ subject: "CN=alice", usage: "client" });
  await using app = await startRawApp(answering(OK));
  const rules = ["--client-ca", path("clients.pem"), "--allow-client", "cn=alice", "--trust-forwarded", "10.0.0.0/8"];
  await using proxy = await startWorkers(["--app-port", `${app.port}`, "--state-dir", stateDir, ...rules]);
  const ask = async (options: { cert?: string; key?: string }) => {
    const socket = connect({ port: proxy.port, ca: await authority(), servername: "localhost", ...options });
    onTestFinished(() => void socket.destroy());
    socket.write(REQUEST);
    return String(await once(socket, "data")).slice(0, 12);
  };
  expect([await ask({ cert, key }), await ask({})]).toEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
});

test("in a program of one's own workers are the package's own program", async () => {
  await using app = await startRawApp(answering(OK));
  const where = { listen: "127.0.0.1:0", redirectListen: "127.0.0.1:0", stateDir };
  await using proxy = await startSidecar(tlsProxy({ appPort: app.port, workers: 2, ...where }));
  const port = Number(proxy.addresses["https"]?.split(":").at(-1));
  const client = await connectTo({ port, ca: await authority() });
  client.send(REQUEST);
  await client.receives(/ok$/);
  client.socket.destroy();
  const plain = await fetch(`http://${proxy.addresses["http"]}/x`, { redirect: "manual" });
  expect(plain.headers.get("location")).toBe(`https://127.0.0.1:${port}/x`);
  expect((await proxy.get("/metrics")).text).toMatch(/^tls_proxy_plain_requests_total\{outcome="redirected"\} 1$/m);
  expect(await proxy.stop()).toBe(true);
});
