import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import type { AnswerReceiver } from "../src/upstream/answer-receiver.ts";
import type { UpstreamConnection } from "../src/upstream/upstream-connection.ts";
import { UpstreamPool } from "../src/upstream/upstream-pool.ts";
import { OK, answering, startRawApp } from "./raw-app.ts";

function poolTo(port: number, wait = 0) {
  const away: unknown[] = [];
  const observer = { away: (error: NodeJS.ErrnoException) => void away.push(error.code) };
  const pool = new UpstreamPool({ address: { host: "127.0.0.1", port }, wait, connectTimeout: 1_000, observer });
  onTestFinished(() => pool.close());
  return { pool, away };
}

/** A connection, new or idle. */
function connectionOf(pool: UpstreamPool): Promise<UpstreamConnection> {
  const idle = pool.take();
  if (idle !== undefined) return Promise.resolve(idle);
  return new Promise((resolve, reject) => void pool.connect(resolve, reject));
}

/** Sends a request without a body. @returns the answer's status, or how it failed, when the exchange is over */
function ask(connection: UpstreamConnection, path = "/"): Promise<number | string> {
  return new Promise((resolve) => {
    let status = 0;
    const receiver: AnswerReceiver = {
      informational() {},
      head: (head) => void (status = head.status),
      data() {},
      trailers() {},
      flush: () => true,
      ended: () => resolve(status),
      writable() {},
      failed: ({ kind }) => resolve(kind),
    };
    connection.begin(receiver, { isHead: false, wantsUpgrade: false });
    connection.write(Buffer.from(`GET ${path} HTTP/1.1\r\nHost: app\r\n\r\n`));
    connection.requestEnded();
  });
}

/** A port of loopback where nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("the connection that came back last is taken first", async () => {
  await using app = await startRawApp(answering(OK));
  const { pool } = poolTo(app.port);
  const [first, second] = [await connectionOf(pool), await connectionOf(pool)];
  expect(await ask(first)).toBe(200);
  expect(await ask(second)).toBe(200);
  expect([pool.open, pool.idleCount]).toEqual([2, 2]);
  expect(pool.take()).toBe(second);
  expect(pool.take()).toBe(first);
  expect(pool.take()).toBeUndefined();
});

test("an app that has answered, reads no more of its request and doesn't close is left", async () => {
  const app = createServer((socket) => {
    socket
      .on("error", () => {})
      .once("data", () => {
        socket.pause();
        setTimeout(() => socket.write(OK), 500);
      });
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void app.close());
  await once(app, "listening");
  const { pool } = poolTo((app.address() as AddressInfo).port);
  const connection = await connectionOf(pool);
  const answered = ask(connection);
  connection.write(Buffer.alloc(64 * 1024 * 1024));
  expect(await answered).toBe(200);
  expect(pool.open).toBe(1);
  await vi.waitFor(() => expect(pool.open).toBe(0), { timeout: 20_000 });
}, 30_000);

test("one that the app closes while it is idle is never given out", async () => {
  await using app = await startRawApp(answering(OK));
  const { pool } = poolTo(app.port);
  await ask(await connectionOf(pool));
  expect(pool.idleCount).toBe(1);
  for (const socket of app.open) socket.end();
  await vi.waitFor(() => expect([pool.idleCount, pool.open]).toEqual([0, 0]));
  expect(pool.take()).toBeUndefined();
});

test("one on which the app says what nobody asked for is never given out, and its word reaches nobody", async () => {
  await using app = await startRawApp(answering(OK));
  const { pool } = poolTo(app.port);
  await ask(await connectionOf(pool));
  for (const socket of app.open) socket.write(OK);
  await vi.waitFor(() => expect([pool.idleCount, app.open.size]).toEqual([0, 0]));
});

test("what the app sends behind an answer in the same breath ends the connection with it", async () => {
  await using app = await startRawApp(answering(OK + OK));
  const { pool } = poolTo(app.port);
  expect(await ask(await connectionOf(pool))).toBe(200);
  expect(pool.idleCount).toBe(0);
});

test.each([
  ["a connection that had served before is stale", 2, "stale"],
  ["a new one broke off", 1, "broke-off"],
])("%s when it closes without an answer", async (_name, requests, kind) => {
  const answered = answering(OK);
  await using app = await startRawApp((socket, received) => {
    if (received.includes("/last")) socket.destroy();
    else answered(socket, received);
  });
  const { pool } = poolTo(app.port);
  for (let count = 1; count < requests; count++) expect(await ask(await connectionOf(pool))).toBe(200);
  expect(await ask(await connectionOf(pool), "/last")).toBe(kind);
});

test("idle connections end a minute after their last use, the longest idle first, and one that is used doesn't", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  await using app = await startRawApp(answering(OK));
  const { pool } = poolTo(app.port);
  const [first, second] = [await connectionOf(pool), await connectionOf(pool)];
  await Promise.all([ask(first), ask(second)]);
  const used = pool.take();
  vi.advanceTimersByTime(60_000);
  expect(await ask(used ?? first)).toBe(200);
  vi.advanceTimersByTime(30_000);
  await vi.waitFor(() => expect([pool.idleCount, app.open.size]).toEqual([1, 1]));
  expect(pool.take()).toBe(used);
});

test("requests wait for an app that comes, and all reach it at once", async () => {
  const port = await freePort();
  const { pool, away } = poolTo(port, 5_000);
  const all = [1, 2, 3].map(() => connectionOf(pool));
  await vi.waitFor(() => expect(away.length).toBeGreaterThan(0));
  expect(pool.waiting).toBe(3);
  const server = createServer(() => {}).listen(port, "127.0.0.1");
  expect(new Set(await Promise.all(all)).size).toBe(3);
  expect(pool.waiting).toBe(0);
  expect(new Set(away)).toEqual(new Set(["ECONNREFUSED"]));
  pool.close();
  server.close();
});

test("when the wait is over, each fails with the last attempt's error", async () => {
  const { pool } = poolTo(await freePort(), 150);
  const failures = await Promise.allSettled([connectionOf(pool), connectionOf(pool)]);
  for (const failure of failures) expect(failure).toMatchObject({ reason: { code: "ECONNREFUSED" } });
  expect(pool.waiting).toBe(0);
});

test("a request that is withdrawn waits no longer, and nobody is told", async () => {
  const port = await freePort();
  const { pool } = poolTo(port, 5_000);
  const told = vi.fn<() => void>();
  const withdraw = pool.connect(told, told);
  await vi.waitFor(() => expect(pool.waiting).toBe(1));
  withdraw();
  expect(pool.waiting).toBe(0);
  await using app = await startRawApp(() => {});
  const { pool: other } = poolTo(app.port);
  other.connect(told, told)();
  expect(other.waiting).toBe(0);
  await vi.waitFor(() => expect([app.open.size, other.open]).toEqual([0, 0]));
  expect(told).not.toHaveBeenCalled();
});

test("a pool that is closed keeps nothing, not even what comes back later", async () => {
  await using app = await startRawApp(answering(OK));
  const { pool } = poolTo(app.port);
  const [busy, idle] = [await connectionOf(pool), await connectionOf(pool)];
  await ask(idle);
  pool.close();
  expect(await ask(busy)).toBe(200);
  await vi.waitFor(() => expect([pool.open, pool.idleCount, app.open.size]).toEqual([0, 0, 0]));
});
