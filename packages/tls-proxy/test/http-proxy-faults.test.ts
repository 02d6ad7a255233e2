import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { connectTo, exchange, startProxy } from "./start-proxy.ts";
import { plainExchange, startStockProxy } from "./stock-proxy.ts";

const SMUGGLED = "GET /admin HTTP/1.1\r\nHost: app\r\n\r\n";
const chunk = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n`;

describe.each(["DELETE", "OPTIONS"])("a chunked %s with a body (CVE-2026-29057)", (method) => {
  const request = `${method} /item HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(SMUGGLED)}0\r\n\r\n`;
  const next = "GET /next HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";

  test("http-proxy alone: the body follows a head that says there is none", async () => {
    await using app = await startRawApp((socket) => void (socket.bytesWritten === 0 && socket.end(OK)));
    await using stock = await startStockProxy(app.port);
    await plainExchange(stock.port, request.replace("app\r\n", "app\r\nConnection: close\r\n"));
    expect(app.received[0]).toMatch(/content-length: 0\r\n/);
    await vi.waitFor(() => expect(app.received[0]).toMatch(/\r\n\r\n.*GET \/admin HTTP\/1.1/s));
    expect(app.received[0]).not.toMatch(/transfer-encoding/i);
  });

  test("here: it arrives chunked, byte for byte, and the next request is the next request", async () => {
    await using app = await startRawApp((socket, received) => {
      // An app that believes in Content-Length or chunks, and answers each message it sees.
      if (received.endsWith("0\r\n\r\n") || (received.includes("GET /next") && received.endsWith("\r\n\r\n")))
        socket.write(OK);
    });
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    const client = await connectTo(proxy);
    client.send(request);
    await client.receives(/ok$/);
    client.send(next);
    expect((await client.closed).match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
    const forwarded = [
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: app",
      "X-Forwarded-Port: 443",
      'Forwarded: for=127.0.0.1;host="app";proto=https',
    ].join("\r\n");
    expect(app.received).toEqual([
      `${method} /item HTTP/1.1\r\nHost: app\r\n${forwarded}\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n` +
        `${chunk(SMUGGLED)}0\r\n\r\n` +
        `GET /next HTTP/1.1\r\nHost: app\r\n${forwarded}\r\nConnection: keep-alive\r\n\r\n`,
    ]);
  });

  test("here: a request pipelined behind it is not confused either", async () => {
    await using app = await startRawApp((socket, received) => {
      if (/(0\r\n\r\n|GET \/next[^]*\r\n\r\n)$/.test(received)) socket.write(OK);
    });
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    expect((await exchange(proxy, request + next)).match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
    const heads = app.received
      .join("")
      .replace(chunk(SMUGGLED), "")
      .match(/^[A-Z]+ \S+ HTTP\/1.1/gm);
    expect(heads?.toSorted()).toEqual([`${method} /item HTTP/1.1`, "GET /next HTTP/1.1"].toSorted());
  });
});

test("what is pipelined behind a wish for another protocol, which Node's parser drops, is to be sent again", async () => {
  await using app = await startRawApp(answering(OK));
  await using proxy = await startProxy(app.port, { engine: "http-proxy" });
  const wish = "GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  const text = await exchange(proxy, `${wish}GET /next HTTP/1.1\r\nHost: app\r\n\r\n`);
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)*Connection: close\r\n(?:[^\r]+\r\n)*\r\nok$/);
});

describe("a Trailer field", () => {
  const answer = "HTTP/1.1 200 OK\r\nTrailer: X-Checksum\r\nContent-Length: 2\r\n\r\nok";

  test("http-proxy alone: the serializer throws where nobody catches", async () => {
    await using app = await startRawApp(answering(answer));
    await using stock = await startStockProxy(app.port);
    const crashes: unknown[] = [];
    const known = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").once("uncaughtException", (error) => crashes.push(error));
    try {
      const socket = connect(stock.port, "127.0.0.1").on("error", () => {});
      socket.write("GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
      await vi.waitFor(() => expect(crashes).toMatchObject([{ code: "ERR_HTTP_TRAILER_INVALID" }]));
      socket.destroy();
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of known) process.on("uncaughtException", listener);
    }
  });

  test("here: in an answer it is dropped, and the answer passes", async () => {
    await using app = await startRawApp(answering(answer));
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    const text = await exchange(proxy, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nok$/);
    expect(text).not.toMatch(/trailer/i);
  });

  test("here: in a request, chunked or not, it is dropped with the trailers it announces", async () => {
    await using app = await startRawApp(
      (socket, received) => void (/(\r\n\r\nhello|0\r\n\r\n)$/.test(received) && socket.write(OK)),
    );
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    await exchange(
      proxy,
      "POST /a HTTP/1.1\r\nHost: app\r\nTrailer: X-Forwarded-For\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    );
    await exchange(
      proxy,
      "POST /b HTTP/1.1\r\nHost: app\r\nTrailer: X-Forwarded-For\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
    );
    expect(app.received.join("")).toMatch(/POST \/a[^]*hello[^]*POST \/b[^]*5\r\nhello\r\n0\r\n\r\n$/);
    expect(app.received.join("")).not.toMatch(/trailer|6\.6\.6\.6/i);
  });
});

describe("fields that Connection lists", () => {
  const request =
    "GET / HTTP/1.1\r\nHost: app\r\nConnection: close, X-Internal\r\nX-Internal: secret\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n\r\n";
  const answer =
    "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nX-End: 2\r\nContent-Length: 2\r\n\r\nok";

  test("http-proxy alone: all of them pass, both ways", async () => {
    await using app = await startRawApp(answering(answer));
    await using stock = await startStockProxy(app.port);
    const socket = connect(stock.port, "127.0.0.1");
    socket.write(request);
    const [bytes] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    expect(app.received[0]).toMatch(/x-internal: secret/);
    expect(bytes.toString()).toMatch(/x-hop: 1/);
  });

  test("here: they stay on their connection", async () => {
    await using app = await startRawApp(answering(answer));
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    const text = await exchange(proxy, request);
    expect(text).toContain("X-End: 2");
    expect(text).toContain("Connection: close");
    expect(text).not.toMatch(/x-hop|timeout=9/i);
    expect(app.received[0]).not.toMatch(/x-internal|secret|timeout=5|\bTE:/i);
  });
});

describe("connections to the app", () => {
  test("http-proxy alone: one a request, and the app's Connection: close ends the client's as well", async () => {
    await using app = await startRawApp(answering(OK.replace("\r\n", "\r\nConnection: close\r\n")));
    await using stock = await startStockProxy(app.port);
    const socket = connect(stock.port, "127.0.0.1").on("data", () => {});
    socket.write("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    await once(socket, "close");
    expect(app.received[0]).toMatch(/connection: close/);
  });

  test("here: 200 requests in a row share one", async () => {
    const echoed = (received: string) => /^GET \/(\d+) /.exec(received.slice(received.lastIndexOf("GET ")))?.[1] ?? "";
    await using app = await startRawApp((socket, received) => {
      const body = `echo ${echoed(received)}.`;
      if (received.endsWith("\r\n\r\n"))
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    const client = await connectTo(proxy);
    for (let count = 1; count <= 200; count++) {
      client.send(`GET /${count} HTTP/1.1\r\nHost: app\r\n\r\n`);
      await client.receives(new RegExp(`echo ${count}\\.$`));
    }
    client.socket.destroy();
    expect(app.received).toHaveLength(1);
  });

  test("here: an app that closes after each answer doesn't close the client's connection", async () => {
    await using app = await startRawApp((socket) => void socket.end(OK.replace("\r\n", "\r\nConnection: close\r\n")));
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    const client = await connectTo(proxy);
    client.send("GET /1 HTTP/1.1\r\nHost: app\r\n\r\n");
    await client.receives(/ok$/);
    client.send("GET /2 HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
    expect((await client.closed).match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
  });
});

describe("a client that goes away while the app is busy", () => {
  const request = "GET /slow HTTP/1.1\r\nHost: app\r\n\r\n";
  const begun = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun";

  test("http-proxy alone: the app works on, its connection stays", async () => {
    await using app = await startRawApp((socket) => void socket.write(begun));
    await using stock = await startStockProxy(app.port);
    const socket = connect(stock.port, "127.0.0.1");
    socket.write(request);
    await once(socket, "data");
    socket.destroy();
    await vi.waitFor(async () => expect(await connectionsOf(stock.server)).toBe(0));
    expect(app.open.size).toBe(1);
  });

  test("here: the app sees the close, before its answer and in the middle of it; nothing is left", async () => {
    await using app = await startRawApp((socket, received) => void (received.includes("/slow") && socket.write(begun)));
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    for (let count = 0; count < 20; count++) {
      const early = await connectTo(proxy);
      early.send(request.replace("slow", "silent"));
      const middle = await connectTo(proxy);
      middle.send(request);
      await middle.receives(/begun$/);
      await vi.waitFor(() => expect(app.open.size).toBe(2));
      early.socket.destroy();
      middle.socket.destroy();
      await vi.waitFor(() => expect(app.open.size).toBe(0));
    }
    await vi.waitFor(() => expect(proxy.front.open).toBe(0));
  });

  test("here: in the middle of an upload, too", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    const client = await connectTo(proxy);
    client.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 1000\r\n\r\nbegun");
    await vi.waitFor(() => expect(app.received[0]).toMatch(/begun$/));
    client.socket.destroy();
    await vi.waitFor(() => expect(app.open.size).toBe(0));
  });
});

describe("the request target", () => {
  const target = '//a//b/../c%2e%2E/;p?x=http://y//z&{|}\\^`"<>';

  test("http-proxy alone: it is rewritten", async () => {
    await using app = await startRawApp(answering(OK));
    await using stock = await startStockProxy(app.port);
    await plainExchange(stock.port, `GET ${target} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`);
    expect(app.received[0]).not.toContain(`GET ${target} HTTP/1.1\r\n`);
  });

  test("here: it arrives byte for byte", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port, { engine: "http-proxy" });
    await exchange(proxy, `GET ${target} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`);
    expect(app.received[0]).toContain(`GET ${target} HTTP/1.1\r\n`);
  });
});

function connectionsOf(server: {
  getConnections(callback: (error: Error | null, count: number) => void): void;
}): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

test("a head that goes ahead of its body keeps its bytes", async () => {
  await using app = await startRawApp((socket, received) => void (received.endsWith("hello") && socket.write(OK)));
  await using proxy = await startProxy(app.port, { engine: "http-proxy" });
  const client = await connectTo(proxy);
  client.send("POST / HTTP/1.1\r\nHost: app\r\nX-Text: caf\xe9\r\nContent-Length: 5\r\n\r\n");
  await vi.waitFor(() => expect(app.received[0]).toContain("\r\nX-Text: caf\xe9\r\n"));
  client.send("hello");
  await client.receives(/ok$/);
  client.socket.destroy();
});
