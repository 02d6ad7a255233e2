import { describe, expect, test, vi } from "vitest";
import type { AccessEntry } from "../src/access-log/access-line.ts";
import { OK, startRawApp } from "./raw-app.ts";
import { SWITCHED, handshake } from "./raw-web-socket.ts";
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

  test("the octets of both bodies are counted, and how long the app took to begin", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.endsWith("upload")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
    });
    const { proxy, entries } = await start(app.port);
    await using _ = proxy;
    await exchange(proxy, "PUT / HTTP/1.1\r\nHost: app\r\nContent-Length: 6\r\nConnection: close\r\n\r\nupload");
    await vi.waitFor(() => expect(entries).toHaveLength(1));
    expect(entries[0]).toMatchObject({ bytesReceived: 6, bytesSent: 4, upstreamTime: expect.any(Number) });
  });

  test("a WebSocket has an entry when it is over, with what each side sent in it", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(`${SWITCHED}welcome`);
      if (received.endsWith("bye")) socket.end();
    });
    const { proxy, entries } = await start(app.port);
    await using _ = proxy;
    const client = await connectTo(proxy);
    client.send(handshake());
    await client.receives(/welcome$/);
    client.send("bye");
    await client.closed;
    await vi.waitFor(() => expect(entries).toHaveLength(1));
    expect(entries[0]).toMatchObject({
      target: "/chat",
      status: 101,
      outcome: "complete",
      bytesReceived: "bye".length,
      bytesSent: "welcome".length,
      upstreamTime: expect.any(Number),
    });
    expect(proxy.told).toContain("answered 101");
  });

  test.each([
    [
      "refuses",
      "HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\nlogin",
      { status: 401, bytesSent: 5, outcome: "complete" },
    ],
    ["breaks off at", "HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\nlo", { status: 401, outcome: "app-failed" }],
    ["hangs up at", "", { status: 502, outcome: "app-failed", error: expect.stringMatching(/./) }],
  ])("a WebSocket that the app %s has an entry as well", async (_how, answer, expected) => {
    await using app = await startRawApp((socket) => void socket.end(answer));
    const { proxy, entries } = await start(app.port);
    await using _ = proxy;
    const client = await connectTo(proxy);
    client.socket.allowHalfOpen = true; // the answer's end is what counts, not the connection's
    client.send(handshake());
    await vi.waitFor(() => expect(entries).toMatchObject([expected]));
    client.socket.destroy();
  });

  test("a request whose body isn't well-formed has one entry", async () => {
    await using app = await startRawApp(() => {});
    const { proxy, entries } = await start(app.port);
    await using _ = proxy;
    const chunks = "5\r\nabcde\r\nzz\r\n";
    await exchange(proxy, `POST /x HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    await vi.waitFor(() => expect(proxy.front.open).toBe(0));
    expect(entries).toMatchObject([
      { method: "POST", target: "/x", status: 400, outcome: "refused", bytesReceived: 5 },
    ]);
    expect(proxy.told.filter((line) => line.startsWith("answered"))).toEqual(["answered 400"]);
  });

  test("what isn't well-formed has an entry without method and target", async () => {
    const { proxy, entries } = await start(1);
    await using _ = proxy;
    await exchange(proxy, "GET / HTTP/1.1\r\nHost : app\r\n\r\n");
    await vi.waitFor(() => expect(entries).toHaveLength(1));
    expect(entries[0]).toMatchObject({ method: "-", target: "-", status: 400, outcome: "refused" });
    expect(proxy.told).toContain("answered 400");
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
  await exchange(proxy, "PUT /old HTTP/1.0\r\nHost: app\r\nContent-Length: 2\r\n\r\n");
  await vi.waitFor(() => expect(entries).toHaveLength(3));
  expect(entries).toMatchObject([
    { status: 413, outcome: "refused", method: "PUT", target: "/large", host: "app" },
    { status: 400, outcome: "refused", method: "-", target: "-" },
    { status: 413, outcome: "refused", method: "PUT", target: "/old", protocol: "HTTP/1.0" },
  ]);
});
