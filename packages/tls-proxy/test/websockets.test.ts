import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { OK, startRawApp } from "./raw-app.ts";
import { ACCEPT, SWITCHED, handshake } from "./raw-web-socket.ts";
import { connectTo, engines, exchange, startProxy } from "./start-proxy.ts";
import { plainExchange, startStockProxy } from "./stock-proxy.ts";

const SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";

describe.each(engines)("engine %s", (engine) => {
  describe("with a real WebSocket app", () => {
    let http: Server;
    let sockets: WebSocketServer;
    let heads: Record<string, unknown>[] = [];

    beforeAll(async () => {
      http = createServer();
      sockets = new WebSocketServer({ server: http, handleProtocols: (protocols) => [...protocols][0] ?? false });
      sockets.on("connection", (socket, request) => {
        heads.push(request.headers);
        socket.on("message", (data: Buffer, binary) => {
          if (data.toString() === "bye") socket.close(4321, "as asked");
          else socket.send(data, { binary });
        });
      });
      http.listen(0, "127.0.0.1");
      await once(http, "listening");
    });
    afterAll(() => void http.close());

    const port = () => (http.address() as AddressInfo).port;

    test("text and binary come back, with protocol, close code and reason; the app is told https", async () => {
      heads = [];
      await using proxy = await startProxy(port(), { engine });
      const socket = new WebSocket(`wss://localhost:${proxy.port}/chat`, ["chat.v2"], { ca: proxy.ca });
      await once(socket, "open");
      expect(socket.protocol).toBe("chat.v2");
      for (const message of ["hello", "é".repeat(100_000)]) {
        socket.send(message);
        const [data, binary] = (await once(socket, "message")) as [Buffer, boolean];
        expect([data.toString(), binary]).toEqual([message, false]);
      }
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
      socket.send(bytes);
      expect(await once(socket, "message")).toEqual([bytes, true]);
      socket.send("bye");
      const [code, reason] = (await once(socket, "close")) as [number, Buffer];
      expect([code, reason.toString()]).toEqual([4321, "as asked"]);
      expect(heads).toMatchObject([{ "x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1" }]);
      await vi.waitFor(() => expect([sockets.clients.size, proxy.front.open]).toEqual([0, 0]));
    });

    test("a client that vanishes is gone at the app as well, and the other way round", async () => {
      await using proxy = await startProxy(port(), { engine });
      for (const end of ["client", "app"]) {
        const socket = new WebSocket(`wss://localhost:${proxy.port}/`, { ca: proxy.ca });
        socket.on("error", () => {});
        await once(socket, "open");
        await vi.waitFor(() => expect(sockets.clients.size).toBe(1));
        if (end === "client") socket.terminate();
        else for (const client of sockets.clients) client.terminate();
        await vi.waitFor(() =>
          expect([sockets.clients.size, proxy.front.open, socket.readyState]).toEqual([0, 0, WebSocket.CLOSED]),
        );
      }
      expect(proxy.front.upgraded).toBe(0);
    });

    test("http-proxy alone tells the app wss", async () => {
      heads = [];
      await using stock = await startStockProxy(port(), { xfwd: true });
      const socket = new WebSocket(`ws://localhost:${stock.port}/`, { headers: { "X-Forwarded-Proto": "https" } });
      await once(socket, "open");
      expect(heads).toMatchObject([{ "x-forwarded-proto": "https,ws" }]);
      socket.terminate();
    });
  });

  describe("an app that refuses the handshake", () => {
    const refusal =
      "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\nX-Why: login\r\n\r\n5\r\nlogin\r\n0\r\n\r\n";

    test("http-proxy alone: says chunked, sends none", async () => {
      await using app = await startRawApp((socket) => void socket.end(refusal));
      await using stock = await startStockProxy(app.port);
      const text = await plainExchange(stock.port, handshake());
      expect(text).toMatch(/transfer-encoding: chunked\r\n[^]*\r\n\r\nlogin$/);
    });

    test("here: the client gets it as the HTTP answer it is", async () => {
      await using app = await startRawApp((socket) => void socket.end(refusal));
      await using proxy = await startProxy(app.port, { engine });
      const text = await exchange(proxy, handshake());
      expect(text).toMatch(/^HTTP\/1.1 401 Unauthorized\r\nX-Why: login\r\nDate: .* GMT\r\nConnection: close\r\n/);
      if (/Transfer-Encoding: chunked/.test(text)) expect(text).toMatch(/\r\n\r\n5\r\nlogin\r\n0\r\n\r\n$/);
      else expect(text).toMatch(/\r\n\r\nlogin$/);
    });

    test("here: one that is longer than any buffer", async () => {
      const body = "x".repeat(3 << 20);
      await using app = await startRawApp(
        (socket) => void socket.end(`HTTP/1.1 403 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
      );
      await using proxy = await startProxy(app.port, { engine });
      expect((await exchange(proxy, handshake())).length).toBeGreaterThan(body.length);
    });
  });

  test("an app that isn't there: 503; one that hangs up: 502", async () => {
    const app = await startRawApp((socket) => void socket.destroy());
    await using proxy = await startProxy(app.port, { engine });
    expect(await exchange(proxy, handshake())).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n/);
    await app[Symbol.asyncDispose]();
    expect(await exchange(proxy, handshake("Accept: text/html\r\n"))).toMatch(
      /^HTTP\/1.1 503 [^]*Retry-After: 2\r\n[^]*<h1>/,
    );
  });

  test.each([
    ["another protocol", `${SWITCHING}Upgrade: foo\r\n${ACCEPT}`],
    ["two protocols", `${SWITCHING}Upgrade: websocket\r\nUpgrade: foo\r\n${ACCEPT}`],
    ["no protocol", SWITCHING + ACCEPT],
    ["WebSocket without having read the key", `${SWITCHING}Upgrade: websocket\r\n`],
    ["WebSocket with the answer to another key", `${SWITCHING}Upgrade: websocket\r\n${ACCEPT.replace("s3pP", "S3pP")}`],
  ])("an app that switches to %s: 502, and no tunnel", async (_name, head) => {
    await using app = await startRawApp((socket) => void socket.write(`${head}\r\nevil`));
    await using proxy = await startProxy(app.port, { engine });
    expect(await exchange(proxy, handshake())).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n[^]*usable answer\.\n$/);
    await vi.waitFor(() => expect([app.open.size, proxy.front.upgraded]).toEqual([0, 0]));
  });

  test("an app that switches to webSocket, in any case: the tunnel begins", async () => {
    await using app = await startRawApp((socket) => void socket.write(SWITCHED.replace("websocket", "WebSocket")));
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send(handshake());
    expect(await client.receives(/\r\n\r\n$/)).toMatch(/^HTTP\/1.1 101 /);
    client.socket.destroy();
  });

  test("bytes right behind the handshake reach the app after its 101, and not before", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(`${SWITCHED}first`);
    });
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send(`${handshake()}early`);
    await client.receives(/first$/);
    await vi.waitFor(() => expect(app.received[0]).toMatch(/\r\n\r\nearly$/));
    client.socket.destroy();
  });

  test("the app's connection fields stay behind its 101, ours before its request", async () => {
    await using app = await startRawApp(
      (socket) =>
        void socket.write(
          SWITCHED.replace(
            "Upgrade\r\n",
            "Upgrade, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n",
          ),
        ),
    );
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send(
      handshake("X-Forwarded-Proto: http\r\nX-Forwarded-For: 6.6.6.6\r\n").replace(
        "Connection: Upgrade",
        "Connection: Upgrade, X-Secret\r\nX-Secret: 1",
      ),
    );
    const head = await client.receives(/\r\n\r\n$/);
    expect(head).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    expect(head).toMatch(/set-cookie: a=1\r\nset-cookie: b=2\r\n/i);
    expect(head).not.toMatch(/x-hop|keep-alive/i);
    expect(app.received[0]).toMatch(
      /X-Forwarded-Proto: https\r\n[^]*Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n$/,
    );
    expect(app.received[0]).not.toMatch(/x-secret|6\.6\.6\.6/i);
    client.socket.destroy();
    await vi.waitFor(() => expect(app.open.size).toBe(0));
  });

  test("a client that leaves before the app has answered the handshake", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send(handshake());
    await vi.waitFor(() => expect(app.open.size).toBe(1));
    client.socket.destroy();
    await vi.waitFor(() => expect(app.open.size).toBe(0));
  });

  test("a client that doesn't close after a refusal is closed", { timeout: 15_000 }, async () => {
    await using app = await startRawApp((socket) => void socket.end(OK));
    await using proxy = await startProxy(app.port, { engine });
    const halfOpen = { port: proxy.port, ca: proxy.ca, servername: "localhost", allowHalfOpen: true };
    const client = connect(halfOpen);
    client.on("error", () => {}).write(handshake());
    await once(client.resume(), "end");
    expect(proxy.front.open).toBe(1);
    await vi.waitFor(() => expect(proxy.front.open).toBe(0), 10_000);
    client.destroy();
  });

  test("a handshake that carries a body or a second Host is no handshake", async () => {
    await using app = await startRawApp((socket) => void socket.end(OK));
    await using proxy = await startProxy(app.port, { engine });
    expect(await exchange(proxy, handshake("Host: other\r\n"))).toMatch(/^HTTP\/1.1 400 /);
    const text = await exchange(
      proxy,
      `${handshake("Content-Length: 5\r\n").replace("Upgrade\r\n", "Upgrade, close\r\n")}hello`,
    );
    expect(text).toMatch(/^HTTP\/1.1 200 OK/);
    expect(app.received.join("")).not.toMatch(/Upgrade/i);
  });
});
