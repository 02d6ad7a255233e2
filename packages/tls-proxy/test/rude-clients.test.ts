import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { describe, expect, test, vi } from "vitest";
import { fill } from "./fill.ts";
import { OK, startRawApp } from "./raw-app.ts";
import { SWITCHED, handshake } from "./raw-web-socket.ts";
import { type RawClient, type StartedProxy, connectTo, startProxy } from "./start-proxy.ts";

const GET = "GET / HTTP/1.1\r\nHost: app\r\n\r\n";
const UPLOAD = "POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 100000\r\n\r\n";
const BIG = 64 * 1024 * 1024;

/** On a busy machine as well. */
const eventually = (check: () => void) => vi.waitFor(check, 10_000);

/** Says one character after the other, at a steady pace, until the connection ends. */
function trickle({ socket, send }: RawClient): void {
  const timer = setInterval(() => socket.writable && send("a"), 50);
  socket.once("close", () => clearInterval(timer));
}

describe("slow clients", () => {
  test("a head that takes too long: 408, however steadily it trickles in", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { relay: { headTimeout: 300 } });
    const client = await connectTo(proxy);
    client.send("GET / HTTP/1.1\r\nHost: app\r\nX-Slow: ");
    trickle(client);
    expect(await client.closed).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[^]*head took too long/);
    expect(proxy.told).toContain("answered 408");
    expect(app.received).toEqual([]);
  });

  test("a client that says nothing is let go without a word", async () => {
    await using proxy = await startProxy(1, { relay: { headTimeout: 300 } });
    expect(await (await connectTo(proxy)).closed).toBe("");
  });

  test("between two requests a client has its keep-alive time, then is let go without a word", async () => {
    await using app = await startRawApp((socket) => void socket.write(OK));
    await using proxy = await startProxy(app.port, { relay: { keepAliveTimeout: 300 } });
    const client = await connectTo(proxy);
    client.send(GET);
    expect(await client.closed).toMatch(/\r\n\r\nok$/);
  });

  test("a body that comes too slowly: 408, and the app sees a request that breaks off", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { relay: { minBodyRate: 1_000, bodyRateWindow: 300 } });
    const client = await connectTo(proxy);
    client.send(UPLOAD);
    trickle(client);
    expect(await client.closed).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[^]*body comes too slowly/);
    await eventually(() => expect(app.open.size).toBe(0));
    expect(app.received[0]).toMatch(/\r\n\r\na+$/);
    expect(proxy.told.filter((one) => one.startsWith("answered"))).toEqual(["answered 408"]);
  });

  test("a body that stops coming: 408, where no least rate is set or its window is longer", async () => {
    await using app = await startRawApp(() => {});
    for (const minBodyRate of [0, 240]) {
      await using proxy = await startProxy(app.port, { relay: { minBodyRate, stallTimeout: 300 } });
      const client = await connectTo(proxy);
      client.send(`${UPLOAD}abc`);
      expect(await client.closed).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[^]*nothing more of its body came/);
      await eventually(() => expect(app.open.size).toBe(0));
    }
  });

  test("a body that comes steadily doesn't stall, however slowly, nor does one that the app doesn't take", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.includes("/full")) socket.pause();
    });
    await using proxy = await startProxy(app.port, { relay: { minBodyRate: 0, stallTimeout: 1_200 } });
    const [slow, full] = [await connectTo(proxy), await connectTo(proxy)];
    slow.send(UPLOAD);
    trickle(slow);
    full.send(UPLOAD.replace("/", "/full").replace("100000", `${BIG}`));
    full.send("a".repeat(BIG - 1));
    await once(slow.socket, "close", { signal: AbortSignal.timeout(4_500) }).catch(() => {});
    expect([slow.socket.destroyed, full.socket.destroyed, proxy.told.join()]).toEqual([
      false,
      false,
      "handshake TLSv1.3,handshake TLSv1.3",
    ]);
    for (const { socket } of [slow, full]) socket.destroy();
  });

  test("a body at the least rate is not too slow", async () => {
    await using app = await startRawApp(
      (socket, received) => void (received.includes("a".repeat(60)) && socket.write(OK)),
    );
    await using proxy = await startProxy(app.port, { relay: { minBodyRate: 5, bodyRateWindow: 300 } });
    const client = await connectTo(proxy);
    client.send(UPLOAD);
    trickle(client);
    expect(await client.receives(/ok$/)).toMatch(/^HTTP\/1.1 200 /);
    client.socket.destroy();
  });

  test("a client that was told to go on and doesn't: 408", async () => {
    await using app = await startRawApp((socket) => void socket.write("HTTP/1.1 100 Continue\r\n\r\n"));
    await using proxy = await startProxy(app.port, { relay: { minBodyRate: 1_000, bodyRateWindow: 300 } });
    const client = await connectTo(proxy);
    client.send(UPLOAD.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
    expect(await client.closed).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 408 /);
    await eventually(() => expect(app.open.size).toBe(0));
  });

  test("a client that isn't told to go on waits as long as the app likes", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { relay: { minBodyRate: 1_000, bodyRateWindow: 100 } });
    const client = await connectTo(proxy);
    client.send(UPLOAD.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
    await once(client.socket, "close", { signal: AbortSignal.timeout(2_500) }).catch(() => {});
    expect(client.socket.destroyed).toBe(false);
    for (const socket of app.open) socket.end("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    expect(await client.closed).toMatch(/^HTTP\/1.1 413 /);
  });

  test("a client that takes nothing of its answer is cut off, and the app is free", async () => {
    await using app = await startRawApp((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG}\r\n\r\n`);
      socket.write(Buffer.alloc(BIG));
    });
    await using proxy = await startProxy(app.port, { relay: { stallTimeout: 300 } });
    const client = await connectTo(proxy);
    client.socket.pause();
    client.send(GET);
    await eventually(() => expect(app.open.size).toBe(1));
    await eventually(() => expect(app.open.size).toBe(0));
    await eventually(() => expect(proxy.front.open).toBe(0));
    client.socket.resume();
    expect((await client.closed).length).toBeLessThan(BIG);
  });
});

describe("a client that ends its half", () => {
  test.each([
    ["before it said anything", ""],
    ["in a head", "GET / HTT"],
    ["in a body", `${UPLOAD}abc`],
    ["while it waits", GET],
    ["behind several requests", GET + GET + GET],
    ["behind several requests that come bit by bit", GET, GET, "GET / HTT", "P/1.1\r\n"],
  ])("%s has left: it gets no answer, and nothing stays open", async (_when, bytes, ...more) => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port);
    const client = await connectTo(proxy);
    client.send(bytes);
    if (bytes.includes("\r\n\r\n")) await eventually(() => expect(app.received).toHaveLength(1));
    for (const one of more) client.send(one);
    client.socket.end();
    expect(await client.closed).toBe("");
    await eventually(() => expect([app.open.size, proxy.front.open]).toEqual([0, 0]));
    const answered = proxy.told.filter((one) => one.startsWith("answered"));
    expect(answered).toEqual(app.received.length > 0 ? ["answered 499"] : []);
  });
});

describe("a TCP reset", () => {
  test("of a client in its handshake: a failed handshake, and nothing else", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port);
    const raw = connectTcp(proxy.port, "127.0.0.1");
    await once(raw, "connect");
    raw.write(Buffer.from([0x16, 0x03, 0x01]), () => raw.resetAndDestroy());
    await eventually(() => expect(proxy.told).toEqual([expect.stringMatching(/^handshake failed/)]));
    expect([app.open.size, proxy.front.open]).toEqual([0, 0]);
  });

  test.each([
    ["in a head", "GET / HTT", undefined],
    ["in a body", `${UPLOAD}abc`, undefined],
    ["in a chunk", "POST / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", undefined],
    ["while it waits", GET, undefined],
    ["in its answer", GET, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc"],
    ["in an answer that ends with the connection", GET, "HTTP/1.0 200 OK\r\n\r\nabc"],
  ])("of a client %s: the app's connection ends with it", async (_when, bytes, answer) => {
    await using app = await startRawApp((socket) => void (answer !== undefined && socket.write(answer)));
    await using proxy = await startProxy(app.port);
    const { client, reset } = await connectResettable(proxy);
    client.write(bytes);
    if (bytes.includes("\r\n\r\n")) await eventually(() => expect(app.received).toHaveLength(1));
    else await eventually(() => expect(proxy.front.open).toBe(1));
    if (answer !== undefined) await once(client, "data");
    reset();
    await eventually(() => expect([app.open.size, proxy.front.open]).toEqual([0, 0]));
    const expected = answer === undefined ? "answered 499" : "answered 200";
    expect(proxy.told.filter((one) => one.startsWith("answered"))).toEqual(app.received.length > 0 ? [expected] : []);
  });

  test.each([
    ["in a body that the app doesn't read", `POST / HTTP/1.1\r\nHost: app\r\nContent-Length: ${BIG}\r\n\r\n`],
    ["behind more requests than are taken ahead", GET],
    ["in a WebSocket that the app doesn't read", handshake()],
  ])("of a client %s: the app's connection ends with it", async (_when, bytes) => {
    let reads = false;
    await using app = await startRawApp((socket) => {
      if (reads) return;
      if (bytes === handshake()) socket.write(SWITCHED);
      socket.pause();
    });
    await using proxy = await startProxy(app.port);
    const { client, reset } = await connectResettable(proxy);
    client.write(bytes);
    await eventually(() => expect(app.received).toHaveLength(1));
    await fill(client, Buffer.from(GET.repeat(2_000)));
    reset();
    await eventually(() => expect(proxy.front.open).toBe(0));
    reads = true;
    for (const socket of app.open) socket.resume();
    await eventually(() => expect(app.open.size).toBe(0));
  });

  test.each([
    ["before it answers", GET, /^HTTP\/1.1 502 /],
    ["in a request's body", `${UPLOAD}abc`, /^HTTP\/1.1 502 /],
    ["in the head of its answer", GET, /^HTTP\/1.1 502 /, "HTTP/1.1 200 OK\r\nContent-"],
    [
      "behind an interim answer",
      GET,
      /^HTTP\/1.1 103 [^]*HTTP\/1.1 502 /,
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    ],
  ])("of the app %s: 502", async (_when, bytes, expected, begun = "") => {
    await using app = await startRawApp((socket) => {
      if (begun === "") socket.resetAndDestroy();
      else socket.write(begun, () => setImmediate(() => socket.resetAndDestroy()));
    });
    await using proxy = await startProxy(app.port);
    const client = await connectTo(proxy);
    client.send(bytes);
    await client.receives(/502 Bad Gateway\n/);
    expect(client.text()).toMatch(expected);
    client.socket.destroy();
    await eventually(() => expect([app.open.size, proxy.front.open]).toEqual([0, 0]));
    expect(proxy.told.filter((one) => one.startsWith("answered"))).toEqual(["answered 502"]);
  });
});

/** A client whose TCP connection can be reset. */
async function connectResettable({ port, ca }: StartedProxy) {
  const raw = connectTcp(port, "127.0.0.1");
  const client = connectTls({ socket: raw, ca, servername: "localhost" });
  client.on("error", () => {});
  await once(client, "secureConnect");
  return { client, reset: () => raw.resetAndDestroy() };
}
