import { describe, expect, test, vi } from "vitest";
import type { AccessEntry } from "../src/access-log/access-line.ts";
import { OK, startRawApp } from "./raw-app.ts";
import { connectTo, engines, exchange, startProxy } from "./start-proxy.ts";

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`;

describe.each(engines)("engine %s", (engine) => {
  async function start(appPort: number) {
    const entries: AccessEntry[] = [];
    const proxy = await startProxy(appPort, { engine, access: { write: (entry) => void entries.push(entry) } });
    return { proxy, entries };
  }

  test.each([
    ["hangs up", "", 502],
    ["breaks off in its head", "HTTP/1.1 200 OK\r\nX-A", 502],
    ["has two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 502],
    ["breaks off in its body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 200],
  ])("an app that %s has failed, and its entry says why", async (_how, answer, status) => {
    await using app = await startRawApp((socket) => void socket.end(answer));
    const { proxy, entries } = await start(app.port);
    await using _ = proxy;
    await exchange(proxy, `POST /x HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    await vi.waitFor(() => expect(entries).toHaveLength(1));
    expect(entries[0]).toMatchObject({ outcome: "app-failed", status, error: expect.stringMatching(/./) });
  });

  test("an app that isn't there has failed as well", async () => {
    const { proxy, entries } = await start(1);
    await using _ = proxy;
    await exchange(proxy, get("/"));
    await vi.waitFor(() => expect(entries).toHaveLength(1));
    expect(entries[0]).toMatchObject({
      outcome: "app-failed",
      status: 503,
      error: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  test.each(["1.0", "1.1"])("a request in HTTP/%s is said to be one", async (version) => {
    await using app = await startRawApp((socket) => void socket.write(OK));
    const { proxy, entries } = await start(app.port);
    await using _ = proxy;
    await exchange(proxy, `GET / HTTP/${version}\r\nHost: app\r\nConnection: close\r\n\r\n`);
    await vi.waitFor(() => expect(entries.map(({ protocol }) => protocol)).toEqual([`HTTP/${version}`]));
  });

  test("an answer that is whole, and a client that leaves, are nobody's failure", async () => {
    await using app = await startRawApp((socket, received) => {
      if (!received.includes("/slow")) socket.write(OK);
    });
    const { proxy, entries } = await start(app.port);
    await using _ = proxy;
    await exchange(proxy, get("/whole"));
    const leaving = await connectTo(proxy);
    leaving.send(get("/slow"));
    await vi.waitFor(() => expect(app.received.join()).toContain("/slow"));
    leaving.socket.destroy();
    await vi.waitFor(() => expect(entries.map(({ outcome }) => outcome)).toEqual(["complete", "client-gone"]));
    expect(entries.map(({ error }) => error)).toEqual([undefined, undefined]);
  });
});

test("a request that is refused before it begins is told of as far as it was well-formed", async () => {
  await using app = await startRawApp(() => {});
  const entries: AccessEntry[] = [];
  const access = { write: (entry: AccessEntry) => void entries.push(entry) };
  await using proxy = await startProxy(app.port, { access, relay: { maxBody: 1 } });
  await exchange(proxy, "PUT /large HTTP/1.1\r\nHost: app\r\nContent-Length: 2\r\n\r\n");
  await exchange(proxy, "PUT /odd HTTP/1.1\r\nHost: app\r\nContent-Length: +2\r\n\r\n");
  await vi.waitFor(() => expect(entries).toHaveLength(2));
  expect(entries).toMatchObject([
    { status: 413, outcome: "refused", method: "PUT", target: "/large", host: "app" },
    { status: 400, outcome: "refused", method: "-", target: "-" },
  ]);
});
