import { describe, expect, test, vi } from "vitest";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { connectTo, engines, exchange, startProxy } from "./start-proxy.ts";

const many = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: 1\r\n`).join("");
const head = (first: string, fields = "") => `${first}\r\nHost: app\r\n${fields}\r\n`;

describe.each(engines)("engine %s", (engine) => {
  test.each([
    [
      "both Content-Length and Transfer-Encoding",
      400,
      head("POST / HTTP/1.1", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
    ],
    [
      "a Transfer-Encoding other than chunked",
      400,
      head("POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n",
    ],
    ["a Transfer-Encoding in HTTP/1.0", 400, head("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"],
    ["two lengths", 400, head("POST / HTTP/1.1", "Content-Length: 5\r\nContent-Length: 6\r\n") + "hello"],
    ["a signed length", 400, head("POST / HTTP/1.1", "Content-Length: +5\r\n") + "hello"],
    [
      "Connection that lists Content-Length",
      400,
      head("POST / HTTP/1.1", "Content-Length: 5\r\nConnection: content-length\r\n") + "hello",
    ],
    ["Connection that lists Host", 400, head("GET / HTTP/1.1", "Connection: Host\r\n")],
    ["no Host", 400, "GET / HTTP/1.1\r\n\r\n"],
    ["two Hosts", 400, head("GET / HTTP/1.1", "Host: other\r\n")],
    ["a Host with a quote", 400, 'GET / HTTP/1.1\r\nHost: a";for=6.6.6.6\r\n\r\n'],
    ["a bare line feed", 400, "GET / HTTP/1.1\nHost: app\n\n"],
    ["a space before the colon", 400, head("GET / HTTP/1.1", "X-Odd : 1\r\n")],
    ["a NUL in a value", 400, head("GET / HTTP/1.1", "X-Odd: a\0b\r\n")],
    ["a target that is neither path nor URL", 400, head("GET index.html HTTP/1.1")],
    ["a target with a raw byte", 400, head("GET /caf\xe9 HTTP/1.1")],
    ["what isn't HTTP", 400, "\x00\x01\x02\r\n\r\n"],
    ["CONNECT", 501, head("CONNECT app:80 HTTP/1.1")],
    ["TRACE", 501, head("TRACE / HTTP/1.1")],
    ["HTTP/2.0 on the line", 505, head("GET / HTTP/2.0")],
    ["a target of 17 KiB", 414, head(`GET /${"a".repeat(17 * 1024)} HTTP/1.1`)],
    ["a head of 33 KiB", 431, head("GET / HTTP/1.1", `X-Long: ${"a".repeat(33 * 1024)}\r\n`)],
    ["101 fields", 431, head("GET / HTTP/1.1", many(100))],
  ])("a request with %s is refused with %i and the connection closed", async (_name, status, bytes) => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port, { engine });
    expect(await exchange(proxy, bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*\r\nConnection: close\r\n`));
    expect(app.received.join("")).toBe("");
  });

  test("a chunk size that isn't hexadecimal: 400, and the app sees a request that breaks off", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send(head("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n");
    await vi.waitFor(() => expect(app.received[0]).toContain("hello"));
    client.send("0x0\r\n\r\n");
    expect(await client.closed).toMatch(/^HTTP\/1.1 400 /);
    await vi.waitFor(() => expect(app.open.size).toBe(0));
    expect(app.received[0]).toMatch(/5\r\nhello\r\n$/);
  });

  test("what stands behind a refused request is never looked at", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port, { engine });
    const text = await exchange(proxy, head("GET / HTTP/1.1", "Host: other\r\n") + head("GET /smuggled HTTP/1.1"));
    expect(text.match(/HTTP\/1.1/g)).toHaveLength(1);
    expect(app.received).toEqual([]);
  });

  test("100 fields and a head just under the limit pass", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port, { engine });
    expect(await exchange(proxy, head("GET / HTTP/1.1", `Connection: close\r\n${many(98)}`))).toMatch(/^HTTP\/1.1 200/);
    const long = `X-Long: ${"a".repeat(30 * 1024)}\r\nConnection: close\r\n`;
    expect(await exchange(proxy, head("GET / HTTP/1.1", long))).toMatch(/^HTTP\/1.1 200/);
    expect(app.received.join("")).toContain("X-97: 1\r\n");
  });

  test("a client can't forge who it is, in any spelling", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port, { engine });
    const forged = [
      "X-Forwarded-For",
      "x-forwarded-for",
      "X_Forwarded_For",
      "X-FORWARDED-PROTO",
      "X-Forwarded-Host",
      "Forwarded",
      "X-Real-IP",
      "X-Forwarded-Prefix",
    ];
    const fields = forged.map((name) => `${name}: 6.6.6.6\r\n`).join("");
    await exchange(proxy, head("GET / HTTP/1.1", `${fields}Connection: close, X-Forwarded-For, Forwarded\r\n`));
    expect(app.received[0]).not.toContain("6.6.6.6");
    expect(app.received[0]).toContain(
      "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: app\r\n",
    );
  });

  test("an absolute-form target wins over Host, and the app gets the path", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port, { engine });
    await exchange(proxy, head("GET http://real.test:81/a?b HTTP/1.1", "Connection: close\r\n"));
    await exchange(proxy, head("GET https://real.test?b HTTP/1.1", "Connection: close\r\n"));
    expect(app.received.join("")).toMatch(
      /^GET \/a\?b HTTP\/1.1\r\nHost: real.test:81\r\n[^]*GET \/\?b HTTP\/1.1\r\nHost: real.test\r\n/,
    );
  });

  test("HTTP/1.0 without Host gets an answer, and the connection closes", async () => {
    await using app = await startRawApp(
      (socket) => void socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    );
    await using proxy = await startProxy(app.port, { engine });
    const text = await exchange(proxy, "GET / HTTP/1.0\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nok$/);
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(app.received[0]).toContain("Host: app.internal\r\n");
  });

  test("a POST without a body stays one: no length, no chunks are made up", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port, { engine });
    await exchange(proxy, head("POST / HTTP/1.1", "Connection: close\r\n"));
    expect(app.received[0]).not.toMatch(/content-length|transfer-encoding/i);
  });

  test("Expect: 100-continue: the app says whether to go on", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.endsWith("hello")) socket.write(OK);
      else if (!received.includes("/no")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      else socket.write("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    });
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send(head("POST /yes HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
    await client.receives(/^HTTP\/1.1 100 Continue\r\n\r\n$/);
    client.send("hello");
    await client.receives(/200 OK[^]*ok$/);
    client.socket.destroy();
    const refused = await exchange(proxy, head("POST /no HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
    expect(refused).toMatch(/^HTTP\/1.1 417 No\r\n[^]*Connection: close/);
  });

  test("a wish to upgrade to anything but WebSocket is ignored", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port, { engine });
    const text = await exchange(
      proxy,
      head(
        "GET / HTTP/1.1",
        "Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
      ),
    );
    expect(text).toMatch(/^HTTP\/1.1 200 OK/);
    expect(app.received[0]).not.toMatch(/upgrade|http2/i);
  });
});
