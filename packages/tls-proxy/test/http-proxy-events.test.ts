import { describe, expect, test, vi } from "vitest";
import { type Attach, get, onAnswer, onRequest, startCustom } from "./custom-proxy.ts";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { connectTo, exchange } from "./start-proxy.ts";

describe("a listener for proxyReq", () => {
  const tag = onRequest((toApp) => {
    toApp.setHeader("X-Team", "blue");
    toApp.setHeader("Accept", "text/html");
    toApp.removeHeader("X-Debug");
    toApp.setHeader("Host", "inside.test");
  });

  test("sets, replaces and removes fields; the others stay, in their order and spelling", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startCustom(app, tag);
    const fields = "X-ONE: 1\r\naccept: */*\r\nX-Debug: 1\r\nx-two: a\r\nx-two: b\r\nX-Team: red\r\n";
    expect(await exchange(proxy, get(fields))).toMatch(/^HTTP\/1\.1 200 /);
    expect(app.received[0]?.split("\r\n").filter((line) => !/forwarded/i.test(line))).toEqual([
      "GET / HTTP/1.1",
      "Host: inside.test",
      "X-ONE: 1",
      "Accept: text/html",
      "x-two: a",
      "x-two: b",
      "X-Team: blue",
      "Connection: keep-alive",
      "",
      "",
    ]);
  });

  test("is asked as well when the client expects a 100, which http-proxy alone leaves out", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (received.endsWith("hello")) socket.write(OK);
    });
    await using proxy = await startCustom(app, tag);
    const client = await connectTo(proxy);
    client.send(
      "POST / HTTP/1.1\r\nHost: app\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
    );
    await client.receives(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    client.send("hello");
    expect(await client.closed).toMatch(/200 OK/);
    expect(app.received[0]).toMatch(/^POST [^]*\r\nX-Team: blue\r\n[^]*\r\n\r\nhello$/);
    expect(app.received[0]).toMatch(/\r\nExpect: 100-continue\r\n/);
  });

  test.each([
    ["a length", "POST", "Content-Length: 5\r\n\r\nhello", "Content-Length: 5"],
    ["chunks", "DELETE", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"],
  ])("can't change how a body with %s is framed", async (_name, method, message, framing) => {
    await using app = await startRawApp((socket, received) => {
      if (/hello(\r\n0\r\n\r\n)?$/.test(received)) socket.write(OK);
    });
    const attach = onRequest((toApp) => {
      toApp.setHeader("Content-Length", "0");
      toApp.setHeader("Transfer-Encoding", "identity");
      toApp.setHeader("Content_Length", "0");
      toApp.setHeader("Connection", "close");
      toApp.appendHeader("Trailer", "X-Sum");
      toApp.setHeaders(new Map([["Upgrade", "h2c"]]));
      toApp.removeHeader("Transfer-Encoding");
      toApp.removeHeader("Content-Length");
    });
    await using proxy = await startCustom(app, attach);
    const text = await exchange(proxy, `${method} / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n${message}`);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    const [head = ""] = app.received[0]?.split("\r\n\r\n") ?? [];
    expect(head.split("\r\n").filter((line) => /^(content|transfer|connection|trailer|upgrade)/i.test(line))).toEqual([
      framing,
      "Connection: keep-alive",
    ]);
  });

  test("gives the request another path, but none that ends its line", async () => {
    await using app = await startRawApp(answering(OK));
    const attach = onRequest((toApp, request) => {
      toApp.path = decodeURIComponent(request.url ?? "").replace("/old", "/new");
    });
    await using proxy = await startCustom(app, attach);
    expect(await exchange(proxy, get("", "/old?a"))).toMatch(/^HTTP\/1\.1 200 /);
    expect(app.received[0]).toMatch(/^GET \/new\?a HTTP\/1\.1\r\n/);
    const smuggled = "/%20HTTP/1.1%0d%0aHost:%20app%0d%0a%0d%0aGET%20/admin";
    expect(await exchange(proxy, get("", smuggled))).toMatch(/^HTTP\/1\.1 502 /);
    expect(app.received.join("")).not.toContain("/admin");
  });

  test("that throws costs its request a 502, and nothing else", async () => {
    await using app = await startRawApp(answering(OK));
    const attach = onRequest((toApp, request) => {
      if (request.url === "/bad") toApp.setHeader("X-Path", "a\nb");
    });
    await using proxy = await startCustom(app, attach);
    expect(await exchange(proxy, get("", "/bad"))).toMatch(/^HTTP\/1\.1 502 /);
    expect(await exchange(proxy, get("", "/good"))).toMatch(/^HTTP\/1\.1 200 /);
    expect(app.received.join("")).not.toContain("/bad");
    expect(proxy.told).toContainEqual(
      expect.stringMatching(/^failed a listener for proxyReq failed: Invalid character/),
    );
  });

  test("that is asynchronous and rejects costs its request a 502 as well", async () => {
    await using app = await startRawApp((socket, received) => received.includes("/good") && void socket.write(OK));
    const attach = onRequest(async (_toApp, request) => {
      if (request.url === "/bad") throw new Error("oops");
    });
    await using proxy = await startCustom(app, attach);
    expect(await exchange(proxy, get("", "/bad"))).toMatch(/^HTTP\/1\.1 502 /);
    expect(await exchange(proxy, get("", "/good"))).toMatch(/^HTTP\/1\.1 200 /);
    expect(proxy.told).toContain("failed a listener for proxyReq failed: oops");
  });

  test("of a WebSocket's handshake sets a field, too", async () => {
    await using app = await startRawApp((socket) => void socket.end(OK));
    await using proxy = await startCustom(app, (events) => {
      events.on("proxyReqWs", (toApp) => {
        toApp.setHeader("X-Team", "blue");
        toApp.removeHeader("Upgrade");
      });
    });
    await exchange(proxy, "GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    expect(app.received[0]).toMatch(/\r\nX-Team: blue\r\n/);
    expect(app.received[0]).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
  });
});

describe("a listener for proxyRes", () => {
  const answer =
    "HTTP/1.1 200 OK\r\nX-Old: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: legacy\r\nContent-Length: 5\r\n\r\nhello";

  test("changes the status, and sets, replaces and removes fields; the others stay", async () => {
    await using app = await startRawApp(answering(answer));
    const attach = onAnswer((fromApp, _request, response) => {
      fromApp.statusCode = 203;
      fromApp.headers["server"] = "new";
      delete fromApp.headers["x-old"];
      response.setHeader("X-Added", "1");
    });
    await using proxy = await startCustom(app, attach);
    const text = await exchange(proxy, get());
    expect(text).toMatch(/^HTTP\/1\.1 203 OK\r\n/);
    expect(text).toMatch(/Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
    expect(text).toMatch(/\r\nX-Added: 1\r\n/);
    expect(text).toMatch(/\r\nserver: new\r\n/i);
    expect(text).not.toMatch(/x-old|legacy/i);
    expect(text).toMatch(/\r\n\r\nhello$/);
  });

  test("can't change how a body is framed", async () => {
    await using app = await startRawApp(answering(answer));
    const attach = onAnswer((fromApp, _request, response) => {
      fromApp.headers["content-length"] = "1";
      fromApp.headers["transfer-encoding"] = "chunked";
      response.setHeader("Content-Length", "2");
      response.setHeader("Connection", "keep-alive");
    });
    await using proxy = await startCustom(app, attach);
    const text = await exchange(proxy, get());
    expect(text.match(/content-length: \d+/gi)).toEqual(["Content-Length: 5"]);
    expect(text).not.toMatch(/transfer-encoding|keep-alive/i);
  });

  test("answers itself, and the app's answer goes nowhere", async () => {
    await using app = await startRawApp(answering(answer));
    const attach = onAnswer((_fromApp, _request, response) => void response.writeHead(418).end("teapot"));
    await using proxy = await startCustom(app, attach);
    const client = await connectTo(proxy);
    for (const count of [1, 2]) {
      client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
      await vi.waitFor(() => expect(client.text().match(/418/g)).toHaveLength(count));
    }
    expect(client.text()).not.toContain("hello");
    expect(app.received).toHaveLength(1);
    client.socket.destroy();
  });

  test("that throws makes a 502 without what it had set", async () => {
    await using app = await startRawApp(answering(answer));
    const attach = onAnswer((_fromApp, _request, response) => {
      response.setHeader("Content-Length", "3");
      response.setHeader("X-Half", "1");
      throw new Error("oops");
    });
    await using proxy = await startCustom(app, attach);
    const text = await exchange(proxy, get());
    expect(text).toMatch(/^HTTP\/1\.1 502 [^]*usable answer/);
    expect(text).not.toMatch(/x-half|oops/i);
    expect(proxy.told).toContain("failed a listener for proxyRes failed: oops");
  });

  test("that is asynchronous and rejects leaves an answer that visibly breaks off", async () => {
    await using app = await startRawApp(answering("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
    await using proxy = await startCustom(
      app,
      onAnswer(() => Promise.reject(new Error("oops"))),
    );
    expect(await exchange(proxy, get())).not.toMatch(/half.*oops|502/s);
    expect(proxy.told).toContain("failed a listener for proxyRes failed: oops");
  });
});

test("a listener for proxyRes that throws in the middle of its own answer: it visibly breaks off", async () => {
  await using app = await startRawApp(answering(OK));
  const attach = onAnswer((_fromApp, _request, response) => {
    response.writeHead(200).write("half");
    throw new Error("oops");
  });
  await using proxy = await startCustom(app, attach);
  expect(await exchange(proxy, get())).not.toMatch(/\r\n0\r\n\r\n$/);
});

describe("a listener for error", () => {
  test("answers in place of tls-proxy, or leaves it to it", async () => {
    const app = await startRawApp(() => {});
    await app[Symbol.asyncDispose]();
    const attach: Attach = (proxy) =>
      void proxy.on("error", (_error, request, response) => {
        if (request.url === "/own" && "writeHead" in response) response.writeHead(500).end("my own page");
      });
    await using proxy = await startCustom(app, attach);
    expect(await exchange(proxy, get("", "/own"))).toMatch(/^HTTP\/1\.1 500 [^]*my own page/);
    expect(await exchange(proxy, get("", "/other"))).toMatch(/^HTTP\/1\.1 503 /);
  });
});
