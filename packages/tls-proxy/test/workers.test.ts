import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type TLSSocket, connect } from "node:tls";
import { defineSidecar } from "@pillion/kit";
import { startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { tlsProxy } from "../src/index.ts";
import { served } from "./certificates/handshake.ts";
import { makeAuthority } from "./certificates/pki.ts";
import { answering, OK, startRawApp } from "./raw-app.ts";
import { type RawClient, connectTo } from "./start-proxy.ts";
import { startTcpApp } from "./start-tcp.ts";
import { type StartedWorkers, startWorkers } from "./start-workers.ts";

let stateDir: string;
beforeEach(async () => void (stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-workers-"))));
afterEach(() => rm(stateDir, { recursive: true }));
const path = (name: string) => join(stateDir, name);
const authority = () => readFile(path("development-ca/ca.pem"), "utf8");
const REQUEST = "GET / HTTP/1.1\r\nHost: app\r\n\r\n";

/** Connections until both workers have one: the system chooses by a hash of the client's port. */
async function connectToBoth(proxy: StartedWorkers): Promise<RawClient[]> {
  const ca = await authority();
  const clients: RawClient[] = [];
  onTestFinished(() => clients.forEach(({ socket }) => socket.destroy()));
  const more = () => Promise.all(Array.from({ length: 6 }, () => connectTo({ port: proxy.port, ca })));
  do clients.push(...(await more()));
  while (proxy.spread().some((count) => count === 0) && clients.length < 200);
  return clients;
}

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

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "a session of %s is resumed by whichever worker it comes back to",
  async (version) => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startWorkers(["--app-port", `${app.port}`, "--state-dir", stateDir]);
    const ca = await authority();
    const versions = { minVersion: version, maxVersion: version };
    const open = async (session?: Buffer): Promise<{ socket: TLSSocket; session: Buffer }> => {
      const socket = connect({
        port: proxy.port,
        ca,
        servername: "localhost",
        ...versions,
        ...(session && { session }),
      });
      onTestFinished(() => void socket.destroy());
      const ticket = once(socket, "session");
      await once(socket, "secureConnect");
      socket.write(REQUEST);
      await once(socket, "data");
      return { socket, session: session ?? ((await ticket)[0] as Buffer) };
    };
    const { session } = await open();
    const resumed: boolean[] = [];
    const again = async () => (await open(session)).socket.isSessionReused();
    do resumed.push(...(await Promise.all(Array.from({ length: 6 }, again))));
    while (proxy.spread().some((count) => count === 0) && resumed.length < 200);
    expect(proxy.spread().every((count) => count > 0)).toBe(true);
    expect(resumed).not.toContain(false);
  },
);

test("new keys of session tickets reach all workers", async () => {
  // The option's least is a minute.
  const often = defineSidecar(tlsProxy.identity, tlsProxy.options, (values) =>
    tlsProxy.configured({ ...values, ticketRotation: 2_000 }),
  );
  await using proxy = await startSidecar(often({ appPort: 1, workers: 2, listen: "127.0.0.1:0", stateDir }));
  const port = Number(proxy.addresses["https"]?.split(":").at(-1));
  const ca = await authority();
  /** What a ticket begins with (RFC 5077 §4). */
  const keyName = async () => {
    const socket = connect({ port, ca, servername: "localhost", maxVersion: "TLSv1.2" });
    await once(socket, "secureConnect");
    const name = socket.getTLSTicket()?.toString("hex", 0, 16);
    socket.destroy();
    return name;
  };
  const names = async () => [...new Set(await Promise.all(Array.from({ length: 16 }, keyName)))];
  const [first] = await vi.waitUntil(async () => ((await names()).length === 1 ? await names() : undefined));
  await vi.waitFor(
    async () => {
      const later = await names();
      expect(later).toHaveLength(1);
      expect(later).not.toContain(first);
    },
    { timeout: 10_000 },
  );
});

test("another certificate reaches all workers, at SIGHUP too; a bad one is told of once, and heals", async () => {
  const ca = await makeAuthority("workers");
  const install = async (name: string) => {
    const { cert, key } = await ca.issue({ names: [name] });
    await Promise.all([writeFile(path("tls.crt"), cert), writeFile(path("tls.key"), key)]);
  };
  await install("first.test");
  const files = ["--cert", path("tls.crt"), "--key", path("tls.key")];
  await using proxy = await startWorkers(["--app-port", "1", ...files]);
  const names = async () => new Set(await Promise.all(Array.from({ length: 24 }, () => served(proxy.port))));
  expect([...(await names())].join()).toContain("first.test");
  await install("second.test");
  proxy.spawned.process.kill("SIGHUP");
  await vi.waitFor(async () => expect([...(await names())].join()).toMatch(/^[^,]*second.test$/), { timeout: 5_000 });
  await writeFile(path("tls.crt"), "no certificate");
  const ready = async () => await proxy.get("/readyz");
  await vi.waitFor(async () => expect(await ready()).toMatch(/^degraded: certificate: refused/), { timeout: 5_000 });
  expect((await ready()).match(/certificate:/g)).toHaveLength(1);
  await install("third.test");
  await vi.waitFor(async () => expect(await ready()).toBe("ready\n"), { timeout: 5_000 });
  expect([...(await names())].join()).toMatch(/^[^,]*third.test$/);
});

test("a worker that is killed is started anew, the other goes on, and no count falls", async () => {
  await using app = await startRawApp(answering(OK));
  await using proxy = await startWorkers(["--app-port", `${app.port}`, "--state-dir", stateDir]);
  const clients = await connectToBoth(proxy);
  for (const client of clients) client.send(REQUEST);
  await Promise.all(clients.map((client) => client.receives(/ok$/)));
  const answered = 'requests_total{code="2xx"}';
  expect(await proxy.metric(answered)).toBe(clients.length);
  const [victim = 0, other = 0] = proxy.workers();
  process.kill(victim, "SIGKILL");
  await proxy.spawned.says(/"msg":"worker 1 ended with SIGKILL"/);
  expect(await proxy.get("/readyz")).toMatch(/^degraded: workers: worker 1 ended with SIGKILL/);
  const left = clients.filter(({ socket }) => !socket.destroyed);
  await vi.waitFor(() => expect(left.filter(({ socket }) => !socket.destroyed).length).toBe(proxy.spread().at(0)));
  const survivors = left.filter(({ socket }) => !socket.destroyed);
  for (const client of survivors) client.send(REQUEST);
  await Promise.all(survivors.map((client) => client.receives(/ok[^]*ok$/)));
  expect(await proxy.metric(answered)).toBe(clients.length + survivors.length);
  await vi.waitFor(async () => expect(await proxy.get("/readyz")).toBe("ready\n"), { timeout: 10_000 });
  expect(proxy.workers()).toContain(other);
  expect(proxy.workers()).toHaveLength(2);
  expect(await proxy.metric("workers")).toBe(2);
  expect(await proxy.metric("worker_deaths_total")).toBe(1);
  expect(await proxy.metric(answered)).toBe(clients.length + survivors.length);
});

test("while no worker lives it isn't ready, and then it is again", async () => {
  await using proxy = await startWorkers(["--app-port", "1", "--state-dir", stateDir]);
  for (const worker of proxy.workers()) process.kill(worker, "SIGKILL");
  await vi.waitFor(async () =>
    expect(await proxy.get("/readyz")).toMatch(/^not ready: workers: worker \d ended with SIGKILL, .*; none serves$/m),
  );
  await vi.waitFor(async () => expect(await proxy.get("/readyz")).toBe("ready\n"), { timeout: 10_000 });
});

test("a worker that dies again and again ends the sidecar: exit 1, and it says so", async () => {
  await using proxy = await startWorkers(["--app-port", "1", "--state-dir", stateDir]);
  const [, other] = proxy.workers();
  for (let death = 1; death <= 5; death++) {
    const victim = await vi.waitUntil(() => proxy.workers().find((pid) => pid !== other), { timeout: 10_000 });
    await vi.waitUntil(async () => (await proxy.metric("workers")) === 2, { timeout: 10_000 });
    process.kill(victim, "SIGKILL");
    await vi.waitUntil(() => !proxy.workers().includes(victim));
  }
  expect(await proxy.spawned.exited).toBe(1);
  expect(proxy.spawned.output()).toMatch(
    /"WORKER_ENDED".*worker 1: ended 5 times in a row, the last time with SIGKILL/,
  );
});

test("of a primary that is killed, no worker is left", async () => {
  await using proxy = await startWorkers(["--app-port", "1", "--state-dir", stateDir]);
  const workers = proxy.workers();
  expect(workers).toHaveLength(2);
  process.kill(proxy.pid, "SIGKILL");
  await vi.waitFor(() => workers.forEach((pid) => expect(() => process.kill(pid, 0)).toThrow("ESRCH")), {
    timeout: 5_000,
  });
});

/** Has a request in flight on each of the connections. */
async function inFlight(app: { open: ReadonlySet<Socket> }, clients: readonly RawClient[]): Promise<void> {
  for (const client of clients) client.send(REQUEST);
  await vi.waitFor(() => expect(app.open.size).toBe(clients.length));
}

test.each([
  ["SIGTERM to the primary", (pid: number) => process.kill(pid, "SIGTERM")],
  [
    "SIGTERM to all",
    (pid: number, workers: number[]) => [pid, ...workers].forEach((one) => process.kill(one, "SIGTERM")),
  ],
  [
    "Ctrl-C, which reaches all",
    (pid: number, workers: number[]) => [...workers, pid].forEach((one) => process.kill(one, "SIGINT")),
  ],
])("%s: both workers answer what is in flight, then exit 0", async (_name, stop) => {
  await using app = await startRawApp(() => {});
  await using proxy = await startWorkers(["--app-port", `${app.port}`, "--state-dir", stateDir]);
  const clients = await connectToBoth(proxy);
  await inFlight(app, clients);
  stop(proxy.pid, proxy.workers());
  await proxy.spawned.says(/"stopping"/);
  for (const socket of app.open) socket.write(OK);
  for (const client of clients) expect(await client.closed).toMatch(/200 OK[^]*ok$/);
  expect(await proxy.spawned.exited).toBe(0);
  expect(proxy.workers()).toEqual([]);
});

test("what either worker has to cut off is named, and the exit code is 1", async () => {
  await using app = await startRawApp(() => {});
  const flags = ["--app-port", `${app.port}`, "--state-dir", stateDir, "--shutdown-timeout", "300ms"];
  await using proxy = await startWorkers(flags);
  const clients = await connectToBoth(proxy);
  await inFlight(app, clients);
  proxy.spawned.process.kill("SIGTERM");
  expect(await proxy.spawned.exited).toBe(1);
  expect(proxy.spawned.output()).toContain(`${clients.length} still in flight when the time-out ended`);
});

test("a worker that hangs is killed at the deadline, and its last metrics are shown until then", async () => {
  await using app = await startRawApp(answering(OK));
  const flags = ["--app-port", `${app.port}`, "--state-dir", stateDir, "--shutdown-timeout", "300ms"];
  await using proxy = await startWorkers(flags);
  const clients = await connectToBoth(proxy);
  expect(await proxy.metric("connections")).toBe(clients.length);
  process.kill(proxy.workers()[0] ?? 0, "SIGSTOP");
  expect(await proxy.metric("connections")).toBe(clients.length);
  await proxy.spawned.says(/"worker":1,"msg":"a worker doesn't answer; its last metrics are shown"/);
  proxy.spawned.process.kill("SIGTERM");
  expect(await proxy.spawned.exited).toBe(1);
  expect(proxy.spawned.output()).toContain("what worker 1 had in flight when it ended with SIGKILL");
});

test("a worker that hangs is killed after --worker-timeout and started anew, and the log says why", async () => {
  await using app = await startRawApp(answering(OK));
  const flags = ["--app-port", `${app.port}`, "--state-dir", stateDir, "--worker-timeout", "1s"];
  await using proxy = await startWorkers(flags);
  const [victim = 0, other = 0] = proxy.workers();
  process.kill(victim, "SIGSTOP");
  await proxy.spawned.says(/"worker":1,.*"msg":"worker 1 ended with SIGKILL for not answering for 1 s"/);
  expect(await proxy.get("/readyz")).toMatch(/^degraded: workers: worker 1 ended with SIGKILL for not .* others serve/);
  await vi.waitFor(async () => expect(await proxy.get("/readyz")).toBe("ready\n"), { timeout: 10_000 });
  expect(await proxy.metric("worker_deaths_total")).toBe(1);
  expect(proxy.workers()).toHaveLength(2);
  expect(proxy.workers()).toContain(other);
  for (const client of await connectToBoth(proxy)) {
    client.send(REQUEST);
    await client.receives(/ok$/);
  }
});

test("a worker isn't blamed for the time in which all were frozen", async () => {
  await using proxy = await startWorkers(["--app-port", "1", "--state-dir", stateDir, "--worker-timeout", "1s"]);
  const all = [proxy.pid, ...proxy.workers()];
  for (const pid of all) process.kill(pid, "SIGSTOP");
  await delay(2_500); // there is nothing to wait for but the time itself
  for (const pid of all) process.kill(pid, "SIGCONT");
  await delay(1_500);
  expect(await proxy.metric("worker_deaths_total")).toBe(0);
  expect([proxy.pid, ...proxy.workers()]).toEqual(all);
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
