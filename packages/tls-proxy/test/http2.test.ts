import { execFile } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:http2";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { answerOf, connectH2 } from "./h2-client.ts";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { startProxy } from "./start-proxy.ts";

const run = promisify(execFile);
const chunked = (...chunks: string[]) => chunks.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join("");

describe("requests", () => {
  test("become HTTP/1.1: one Host, cookies joined, the origin as the proxy saw it, nothing of the connection", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    const answer = await client.request({
      ":path": "/a?b=%20//../c",
      cookie: ["a=1", "b=2"],
      te: "trailers",
      "x-forwarded-for": "6.6.6.6",
      "x-caf": "\xe9",
    });
    expect(answer).toMatchObject({ status: 200, body: "ok" });
    const host = `localhost:${proxy.port}`;
    expect(app.received).toEqual([
      `GET /a?b=%20//../c HTTP/1.1\r\nhost: ${host}\r\nx-caf: \xe9\r\ncookie: a=1; b=2\r\n` +
        `X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: ${host}\r\n` +
        `X-Forwarded-Port: ${proxy.port}\r\nForwarded: for=127.0.0.1;host="${host}";proto=https\r\n\r\n`,
    ]);
    expect(proxy.told).toContain("answered 200");
  });

  test("share the pool's connections, one after the other and many at a time", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    for (let count = 0; count < 3; count++) expect((await client.request()).body).toBe("ok");
    expect(app.open.size).toBe(1);
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.request()));
    expect(answers.every(({ body }) => body === "ok")).toBe(true);
    expect(app.received.join("").match(/GET \/ /g)).toHaveLength(53);
  });

  test("a body of known length stays so, one of unknown length goes on in chunks, with its trailers", async () => {
    await using app = await startRawApp((socket, received) => {
      if (/(hello|0\r\n(x-sum: 5\r\n)?\r\n)$/.test(received)) socket.write(OK);
    });
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    await client.request({ ":method": "POST", "content-length": "5" }, "hello");
    await client.request({ ":method": "PUT" }, "hello");
    const stream = client.session.request({ ":method": "DELETE" }, { waitForTrailers: true, endStream: false });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "5", "x-forwarded-for": "6.6.6.6" }));
    stream.end("hello");
    await answerOf(stream);
    const [, first, second, third] = app.received.join("").split(/(?=POST|PUT|DELETE)/);
    expect(app.received.join("")).toMatch(/^POST [^]*content-length: 5\r\n[^]*\r\n\r\nhelloPUT /);
    expect(first).toMatch(/Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
    expect(second).toMatch(/Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n$/);
    expect(third).toBeUndefined();
  });

  test("Expect goes to the app, its 100 to the client", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      else socket.write(OK);
    });
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    const stream = client.session.request(
      { ":method": "POST", expect: "100-continue", "content-length": "5" },
      { endStream: false },
    );
    await once(stream, "continue");
    expect(app.received[0]).toMatch(/expect: 100-continue\r\n/);
    stream.end("hello");
    expect((await answerOf(stream)).status).toBe(200);
  });

  test("a body longer than --max-body gets 413, announced or not", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { relay: { maxBody: 4 } });
    await using client = await connectH2(proxy);
    const post = { ":method": "POST" };
    expect((await client.request({ ...post, "content-length": "5" }, "hello")).status).toBe(413);
    expect(app.received).toEqual([]);
    expect((await client.request(post, "hello")).status).toBe(413);
    await vi.waitFor(() => expect(app.open.size).toBe(0));
  });
});

describe("answers", () => {
  test("keep their end-to-end fields, and lose those of the connection", async () => {
    const head =
      "HTTP/1.1 200 Fine\r\nX-Case: A b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: keep-alive, X-Hop\r\n" +
      "X-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Caf: \xe9\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\n\r\nok";
    await using app = await startRawApp(answering(head));
    const rules = {
      rewrites: (name: string) => (name === "set-cookie" ? (value: string) => `${value}; Secure` : undefined),
    };
    const additions = [{ name: "X-Added", lowerCaseName: "x-added", value: "1" }];
    await using proxy = await startProxy(app.port, { rules: { ...rules, additions } });
    await using client = await connectH2(proxy);
    const { headers, body } = await client.request();
    expect(Object.fromEntries(Object.entries({ ...headers, body }))).toEqual({
      ":status": 200,
      "x-case": "A b",
      "set-cookie": ["a=1; Secure", "b=2; Secure"],
      "x-caf": "\xe9",
      date: "Sun, 06 Nov 1994 08:49:37 GMT",
      "content-length": "2",
      "x-added": "1",
      body: "ok",
    });
  });

  test("have one Date: the app's, or else the proxy's", async () => {
    const fields = ["Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", ""];
    await using app = await startRawApp((socket, received) => {
      if (received.includes("/broken")) socket.end("nonsense\r\n");
      else socket.write(`HTTP/1.1 200 OK\r\n${fields.shift()}Content-Length: 2\r\n\r\nok`);
    });
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    const datesOf = async (path: string) => {
      const stream = client.session.request({ ":path": path });
      const [, , raw] = (await once(stream.resume(), "response")) as [unknown, unknown, string[]];
      return raw.filter((_, index) => index % 2 === 1 && raw[index - 1] === "date");
    };
    const ours = expect.stringMatching(/ 20\d\d \d\d:\d\d:\d\d GMT$/) as string;
    expect(await datesOf("/")).toEqual(["Sun, 06 Nov 1994 08:49:37 GMT"]);
    expect(await datesOf("/")).toEqual([ours]);
    expect(await datesOf("/broken")).toEqual([ours]);
  });

  test("chunks, trailers, a close for an end, and 103 before them", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.endsWith("\r\n\r\n") && !received.includes("/close"))
        socket.write(
          `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n` +
            `${chunked("hello ", "world")}0\r\nX-Sum: 12\r\nContent-Length: 7\r\n\r\n`,
        );
      else socket.end("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    });
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    const stream = client.session.request({ ":path": "/chunks" });
    const early = once(stream, "headers");
    const answer = await answerOf(stream);
    expect((await early)[0] as object).toMatchObject({ ":status": 103, link: "</a>, </b>" });
    expect(answer).toMatchObject({ body: "hello world", headers: { trailer: "X-Sum" } });
    expect(Object.entries(answer.trailers)).toEqual([["x-sum", "12"]]);
    expect((await client.request({ ":path": "/close" })).body).toBe("until the end");
  });

  test.each([
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "7"],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n", undefined],
    ["GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "0"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "7"],
    ["GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "0"],
  ])("to %s %j have no body", async (method, bytes, length) => {
    await using app = await startRawApp(answering(bytes));
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    for (let count = 0; count < 2; count++) {
      const { headers, body } = await client.request({ ":method": method });
      expect([headers["content-length"], body]).toEqual([length, ""]);
    }
    expect(app.open.size).toBe(1);
  });

  test("an app that isn't there, that hangs up, that breaks off, that doesn't speak HTTP", async () => {
    const app = await startRawApp((socket, received) => {
      if (received.includes("/half")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
      else if (received.includes("/chunks"))
        socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("half")}`);
      else if (received.includes("/odd")) socket.end("HTTP/1.1 999 Odd\r\n\r\n");
      else socket.end();
    });
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    for (const path of ["/gone", "/odd"])
      expect(await client.request({ ":path": path })).toMatchObject({
        status: 502,
        body: expect.stringMatching(/^502 Bad Gateway\n/) as string,
      });
    for (const path of ["/half", "/chunks"])
      await expect(client.request({ ":path": path })).rejects.toThrow(/NGHTTP2_INTERNAL_ERROR/);
    const page = await client.request({ ":path": "/gone", accept: "text/html" });
    expect(page.headers["content-type"]).toMatch(/^text\/html/);
    expect((await client.request({ ":method": "HEAD" })).status).toBe(502);
    await app[Symbol.asyncDispose]();
    expect(await client.request()).toMatchObject({ status: 503, headers: { "retry-after": "2" } });
    expect(proxy.told.filter((one) => one === "answered 502")).toHaveLength(4);
  });

  test("an answer before the request's end: the client is told to stop, the app's connection isn't used again", async () => {
    await using app = await startRawApp((socket) => void socket.write(OK));
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    const stream = client.session.request({ ":method": "POST" }, { endStream: false });
    stream.write("some");
    expect((await answerOf(stream)).body).toBe("ok");
    await vi.waitFor(() => expect(stream.closed).toBe(true));
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    expect((await client.request()).body).toBe("ok");
    expect(app.received).toHaveLength(2);
  });

  test("a request meets a connection that the app was just closing: it is sent again", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.includes("/second") && app.received.length === 1) socket.destroy();
      else socket.write(OK);
    });
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    await client.request({ ":path": "/first" });
    expect((await client.request({ ":path": "/second" })).body).toBe("ok");
    expect(app.received).toHaveLength(2);
  });
});

test("the access log tells of each request what it tells of those in HTTP/1.1", async () => {
  await using app = await startRawApp((socket, received) => {
    if (received.endsWith("hello\r\n0\r\n\r\n")) socket.write(OK);
  });
  const lines: unknown[] = [];
  await using proxy = await startProxy(app.port, { access: { write: (entry) => void lines.push(entry) } });
  await using client = await connectH2(proxy);
  await client.request({ ":method": "POST", ":path": "/a?b", "user-agent": "test" }, "hello");
  await client.request({ ":path": "/a#b" });
  const stream = client.session.request({ ":path": "/never" });
  stream.on("error", () => {});
  await vi.waitFor(() => expect(app.received.join("")).toMatch(/never/));
  stream.close(constants.NGHTTP2_CANCEL);
  await vi.waitFor(() => expect(lines).toHaveLength(3));
  const common = {
    client: "127.0.0.1",
    protocol: "HTTP/2.0",
    alpn: "h2",
    tlsVersion: "TLSv1.3",
    serverName: "localhost",
  };
  const host = `localhost:${proxy.port}`;
  expect(lines).toMatchObject([
    {
      ...common,
      host,
      method: "POST",
      target: "/a?b",
      userAgent: "test",
      status: 200,
      outcome: "complete",
      bytesSent: 2,
      bytesReceived: 5,
    },
    { ...common, status: 400, outcome: "refused" },
    { ...common, host, target: "/never", status: 499, outcome: "client-gone", bytesSent: 0 },
  ]);
});

describe("other clients", () => {
  test("curl takes HTTP/2 by ALPN, or HTTP/1.1 if it wants to; nghttp takes it too", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await startProxy(app.port);
    const url = `https://localhost:${proxy.port}/`;
    const curl = (...options: string[]) =>
      run("curl", ["-sS", "--cacert", proxy.caPath, "-w", " %{http_version}", ...options, url]);
    expect((await curl()).stdout).toBe("ok 2");
    expect((await curl("--http1.1")).stdout).toBe("ok 1.1");
    expect((await curl("-d", "x=1")).stdout).toBe("ok 2");
    expect((await run("nghttp", ["-m", "5", url])).stdout).toBe("okokokokok");
    const load = await run("h2load", ["-n", "2000", "-c", "2", "-m", "8", url]);
    expect(load.stdout).toMatch(/2000 succeeded, 0 failed, 0 errored/);
  });
});
