import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { UpstreamPool } from "../src/upstream/upstream-pool.ts";
import { connectH2 } from "./h2-client.ts";
import { OK, startRawApp } from "./raw-app.ts";
import { connectTo, startProxy } from "./start-proxy.ts";

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: app\r\n\r\n`;

test("whoever asks for the app may leave: the others are still served when it is back", async () => {
  const gone = await startRawApp(() => {});
  await gone[Symbol.asyncDispose]();
  const { port } = gone;
  let refused = 0;
  const pool = new UpstreamPool({
    address: { host: "127.0.0.1", port },
    wait: 20_000,
    connectTimeout: 5_000,
    observer: { away: () => refused++ },
  });
  const leave = pool.connect(
    () => {},
    () => {},
  );
  await vi.waitFor(() => expect(refused).toBe(1));
  const served = new Promise<void>((resolve, reject) => void pool.connect(() => resolve(), reject));
  // It leaves in the middle of the next attempt, which was its own.
  const leaveLater = () => queueMicrotask(leave);
  subscribe("net.client.socket", leaveLater);
  await vi.waitFor(() => expect(pool.waiting).toBe(1));
  unsubscribe("net.client.socket", leaveLater);
  const app = createServer().listen(port, "127.0.0.1");
  await once(app, "listening");
  await served;
  pool.close();
  app.close();
});

test("a held request gets a connection that comes free, when the app takes no new ones", async () => {
  await using app = await startRawApp(() => {});
  await using proxy = await startProxy(app.port, { wait: 20_000 });
  const [first, second] = [await connectTo(proxy), await connectTo(proxy)];
  first.send(get("/first"));
  await vi.waitFor(() => expect(app.open.size).toBe(1));
  app.stopListening();
  second.send(get("/second"));
  await vi.waitFor(() => expect(proxy.told).toContain("away ECONNREFUSED"));
  for (const socket of app.open) socket.write(OK);
  await first.receives(/200 OK[^]*ok$/);
  await vi.waitFor(() => expect(app.received[0]).toContain("/second"));
  for (const socket of app.open) socket.write(OK);
  await second.receives(/200 OK[^]*ok$/);
  first.socket.destroy();
  second.socket.destroy();
});

describe("a request whose new connection is reset, as what an app hasn't accepted when it ends", () => {
  test.each([
    ["GET", 2],
    ["POST", 1],
  ])("%s reaches the app's address %i times at most", async (method, times) => {
    let opened = 0;
    const app = createServer((socket) => {
      opened++;
      socket.once("data", () => socket.resetAndDestroy());
    }).listen(0, "127.0.0.1");
    await once(app, "listening");
    await using proxy = await startProxy((app.address() as AddressInfo).port, { wait: 20_000 });
    const client = await connectTo(proxy);
    client.send(get("/").replace("GET", method));
    await client.receives(/^HTTP\/1.1 502 /);
    client.socket.destroy();
    expect(opened).toBe(times);
    await using http2 = await connectH2(proxy);
    expect(await http2.request({ ":method": method })).toMatchObject({ status: 502 });
    expect(opened).toBe(2 * times);
    app.close();
  });

  test("is held like any other when that is at once", async () => {
    const ending = createServer((socket) => {
      ending.close();
      socket.resetAndDestroy();
    }).listen(0, "127.0.0.1");
    await once(ending, "listening");
    const { port } = ending.address() as AddressInfo;
    await using proxy = await startProxy(port, { wait: 20_000 });
    const client = await connectTo(proxy);
    client.send(get("/"));
    await vi.waitFor(() => expect(proxy.told.join()).toMatch(/away/));
    const back = createServer((socket) => socket.end(OK)).listen(port, "127.0.0.1");
    await once(back, "listening");
    await client.receives(/^HTTP\/1.1 200 /);
    client.socket.destroy();
    back.close();
  });

  test("is asked for again, and held until the app is back", async () => {
    const ending = createServer((socket) => {
      ending.close();
      socket.once("data", () => socket.resetAndDestroy());
    }).listen(0, "127.0.0.1");
    await once(ending, "listening");
    const { port } = ending.address() as AddressInfo;
    await using proxy = await startProxy(port, { wait: 20_000 });
    const client = await connectTo(proxy);
    client.send(get("/"));
    await vi.waitFor(() => expect(proxy.told).toContain("away ECONNREFUSED"));
    const back = createServer((socket) => socket.end(OK)).listen(port, "127.0.0.1");
    await once(back, "listening");
    await client.receives(/^HTTP\/1.1 200 /);
    client.socket.destroy();
    back.close();
  });
});
