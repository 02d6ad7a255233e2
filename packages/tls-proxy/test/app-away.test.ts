import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { connectTo, engines, exchange, startProxy } from "./start-proxy.ts";

const get = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\nHost: app\r\n${fields}Connection: close\r\n\r\n`;

describe.each(engines)("engine %s", (engine) => {
  test("an app that isn't there: 503 with Retry-After and a page in the form that was asked for", async () => {
    await using proxy = await startProxy(await unusedPort(), { engine });
    const text = await exchange(proxy, get("/"));
    expect(text).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\nContent-Type: text\/plain; charset=utf-8\r\n/);
    expect(text).toMatch(/\r\nRetry-After: 2\r\n[^]*\r\n\r\n503 Service Unavailable\n.+\n$/);
    const page = await exchange(proxy, get("/", "Accept: text/html,*/*\r\n"));
    expect(page).toMatch(/\r\nContent-Type: text\/html; charset=utf-8\r\n[^]*<!doctype html>/);
    const head = await exchange(proxy, get("/").replace("GET", "HEAD"));
    expect(head).toMatch(/^HTTP\/1.1 503 [^]*\r\n\r\n$/);
    expect(proxy.told.filter((line) => line === "away ECONNREFUSED")).toHaveLength(3);
  });

  test("a large upload to an app that isn't there gets its 503, and the connection lives on", async () => {
    await using proxy = await startProxy(await unusedPort(), { engine });
    const client = await connectTo(proxy);
    client.send(`POST / HTTP/1.1\r\nHost: app\r\nContent-Length: ${8 << 20}\r\n\r\n`);
    client.socket.write(Buffer.alloc(8 << 20));
    await client.receives(/503 Service Unavailable/);
    client.send(get("/again"));
    expect((await client.closed).match(/HTTP\/1.1 503/g)).toHaveLength(2);
  });

  test("the app comes: the next request reaches it", async () => {
    const port = await unusedPort();
    await using proxy = await startProxy(port, { engine });
    expect(await exchange(proxy, get("/"))).toMatch(/^HTTP\/1.1 503/);
    const app = createServer((socket) => socket.end(OK)).listen(port, "127.0.0.1");
    await once(app, "listening");
    expect(await exchange(proxy, get("/"))).toMatch(/^HTTP\/1.1 200/);
    app.close();
  });

  test("a client that leaves before there is an answer is not counted as a success", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send(get("/"));
    await vi.waitFor(() => expect(app.open.size).toBe(1));
    client.socket.destroy();
    await vi.waitFor(() => expect(proxy.told).toContain("answered 499"));
  });

  test("an app that hangs up without an answer: 502", async () => {
    await using app = await startRawApp((socket) => void socket.destroy());
    await using proxy = await startProxy(app.port, { engine });
    expect(await exchange(proxy, get("/"))).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n[^]*broke off/);
    expect(proxy.told).toContainEqual(expect.stringMatching(/^failed (ECONNRESET|the app closed the connection)$/));
  });

  test.each([
    ["what isn't HTTP", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["both framings", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
    ["a status that is none", "HTTP/1.1 042 Odd\r\nContent-Length: 2\r\n\r\nok"],
    ["a control character in the reason", "HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok"],
    ["an upgrade nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"],
  ])("an app that answers with %s: 502, and nothing breaks", async (_name, answer) => {
    await using app = await startRawApp((socket) => void socket.end(answer, "latin1"));
    await using proxy = await startProxy(app.port, { engine });
    expect(await exchange(proxy, get("/"))).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n/);
    expect(await exchange(proxy, get("/"))).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n/);
  });

  test.each([
    ["Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart"],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"],
  ])("an app that breaks off in the middle of its answer (%s): the truncation shows", async (_framing, begun) => {
    await using app = await startRawApp((socket) => void socket.write(begun));
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    await client.receives(/part/);
    for (const socket of app.open) socket.resetAndDestroy();
    const text = await client.closed;
    expect(text).toMatch(/part(\r\n)?$/);
    expect(text).not.toMatch(/0\r\n\r\n$/);
    await vi.waitFor(() => expect(proxy.told).toContain("failed ECONNRESET"));
  });

  test("an app of HTTP/1.0 whose body ends with the connection becomes clean HTTP/1.1", async () => {
    await using app = await startRawApp((socket) => void socket.end("HTTP/1.0 200 Fine\r\nServer: old\r\n\r\nhello"));
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    expect(await client.receives(/0\r\n\r\n$/)).toMatch(
      /^HTTP\/1.1 200 Fine\r\nServer: old\r\n[^]*Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/,
    );
    client.socket.destroy();
  });

  test("an idle connection that the app had closed: a GET is sent again, a POST isn't", async () => {
    // The first connection answers once and then dies on the next request, as if its closing had crossed it.
    await using app = await startRawApp((socket, received) => {
      if ((received.match(/HTTP\/1.1\r\n/g)?.length ?? 0) > 1) socket.destroy();
      else socket.write(OK);
    });
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send("GET /1 HTTP/1.1\r\nHost: app\r\n\r\n");
    await client.receives(/ok$/);
    client.send("GET /2 HTTP/1.1\r\nHost: app\r\n\r\n");
    await vi.waitFor(() => expect(client.text().match(/200 OK/g)).toHaveLength(2));
    expect(app.received).toHaveLength(2);
    expect(proxy.told).not.toContain("failed ECONNRESET");

    client.send("GET /3 HTTP/1.1\r\nHost: app\r\n\r\n");
    await vi.waitFor(() => expect(client.text().match(/200 OK/g)).toHaveLength(3));
    client.send("POST /4 HTTP/1.1\r\nHost: app\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    expect(await client.closed).toMatch(/HTTP\/1.1 502 /);
    expect(app.received.join("").match(/POST \/4/g)).toHaveLength(1);
  });

  test.each([
    ["and hangs up", true],
    ["and leaves it to the proxy to hang up", false],
  ])(
    "an app that answers before it has read the upload, %s: its answer arrives, the connection lives on",
    async (_name, hangsUp) => {
      await using app = await startRawApp((socket) => {
        socket.pause();
        socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
        if (hangsUp) socket.end();
      });
      await using proxy = await startProxy(app.port, { engine });
      const client = await connectTo(proxy);
      client.send(`POST / HTTP/1.1\r\nHost: app\r\nContent-Length: ${48 << 20}\r\n\r\n`);
      await client.receives(/413 Too Large[^]*big$/);
      client.socket.write(Buffer.alloc(48 << 20));
      client.send(get("/next"));
      await vi.waitFor(() => expect(client.text().match(/413 Too Large/g)).toHaveLength(2));
    },
  );

  test("an app on a unix socket", async () => {
    const path = `/tmp/tls-proxy-test-${process.pid}.sock`;
    const app = createServer((socket) => socket.on("data", () => socket.end(OK))).listen(path);
    await once(app, "listening");
    await using proxy = await startProxy({ path }, { engine });
    expect(await exchange(proxy, get("/"))).toMatch(/^HTTP\/1.1 200 OK/);
    app.close();
    await once(app, "close");
    expect(await exchange(proxy, get("/"))).toMatch(/^HTTP\/1.1 503/);
  });

  test("answers pass as they are: several cookies, case of names, HEAD, 204, 304", async () => {
    const fields = "Set-Cookie: a=1\r\nX-CamelCase: yes\r\nSet-Cookie: b=2\r\n";
    await using app = await startRawApp(answering(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`));
    await using proxy = await startProxy(app.port, { engine });
    expect(await exchange(proxy, get("/"))).toContain(fields);

    await using other = await startRawApp((socket, received) => {
      const status = /GET \/(\d+)/.exec(received)?.[1];
      socket.end(
        status ? `HTTP/1.1 ${status} Special\r\nETag: "1"\r\n\r\n` : "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n",
      );
    });
    await using second = await startProxy(other.port, { engine });
    expect(await exchange(second, get("/").replace("GET", "HEAD"))).toMatch(/Content-Length: 1234\r\n[^]*\r\n\r\n$/);
    for (const status of ["204", "304"]) {
      expect(await exchange(second, get(`/${status}`))).toMatch(
        new RegExp(`^HTTP/1.1 ${status} Special\r\nETag: "1"\r\n[^]*\r\n\r\n$`),
      );
    }
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}
