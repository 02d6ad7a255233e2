import { once } from "node:events";
import { type IncomingHttpHeaders, type ServerHttp2Stream, constants, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, test, vi } from "vitest";
import { answerOf, connectH2 } from "./h2-client.ts";
import { startRawApp } from "./raw-app.ts";
import { connectTo, exchange, startProxy } from "./start-proxy.ts";

interface H2cApp extends AsyncDisposable {
  readonly port: number;
  readonly heads: readonly IncomingHttpHeaders[];
  readonly streams: ReadonlySet<ServerHttp2Stream>;
  /** Takes no new connections; those that are open stay. */
  stopListening(): void;
}

/** An app that speaks HTTP/2 without TLS, and nothing else. */
async function startH2cApp(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  settings = {},
): Promise<H2cApp> {
  const heads: IncomingHttpHeaders[] = [];
  const streams = new Set<ServerHttp2Stream>();
  const server = createServer({ settings });
  server.on("session", (session) => void sessions.add(session));
  const sessions = new Set<{ destroy(): void }>();
  server.on("stream", (one, headers) => {
    const stream = one as ServerHttp2Stream;
    heads.push(headers);
    streams.add(stream);
    stream.on("error", () => {}).once("close", () => streams.delete(stream));
    onStream(stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    heads,
    streams,
    stopListening: () => void server.close(),
    async [Symbol.asyncDispose]() {
      const closed = server.listening ? once(server, "close") : undefined;
      for (const session of sessions) session.destroy();
      server.close();
      await closed;
    },
  };
}

/** As a gRPC server does it: the status in the trailers. */
function echo(stream: ServerHttp2Stream): void {
  stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }));
  stream.pipe(stream);
}

const CALL = { ":method": "POST", ":path": "/shop.Cart/Add", "content-type": "application/grpc", te: "trailers" };

test("a gRPC call: head, message, and the status in the trailers", async () => {
  await using app = await startH2cApp(echo);
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy);
  const answer = await client.request({ ...CALL, "x-forwarded-for": "6.6.6.6", "grpc-timeout": "1S" }, "message");
  expect(answer).toMatchObject({
    status: 200,
    body: "message",
    headers: { "content-type": "application/grpc" },
    trailers: { "grpc-status": "0", "grpc-message": "fine" },
  });
  expect(app.heads).toMatchObject([
    {
      ":method": "POST",
      ":path": "/shop.Cart/Add",
      ":scheme": "http",
      ":authority": `localhost:${proxy.port}`,
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "https",
      "grpc-timeout": "1S",
      te: "trailers",
    },
  ]);
  expect(Object.keys(app.heads[0] ?? {})).not.toContain("transfer-encoding");
});

test("a stream in both directions, message by message", async () => {
  await using app = await startH2cApp(echo);
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy);
  const stream = client.session.request(CALL, { endStream: false });
  for (const message of ["one", "two"]) {
    stream.write(message);
    const [bytes] = (await once(stream, "data")) as [Buffer];
    expect(bytes.toString()).toBe(message);
  }
  const trailers = once(stream.end(), "trailers");
  expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
});

test("an answer that is only a head ends with it", async () => {
  await using app = await startH2cApp((stream) =>
    stream.respond({ "grpc-status": "12", "content-type": "application/grpc" }, { endStream: true }),
  );
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy);
  const stream = client.session.request(CALL, { endStream: false });
  const [headers, flags] = (await once(stream.end("message"), "response")) as [IncomingHttpHeaders, number];
  expect(headers["grpc-status"]).toBe("12");
  expect(flags & constants.NGHTTP2_FLAG_END_STREAM).toBeTruthy();
});

test("16 MiB each way", async () => {
  const piece = Buffer.alloc(1 << 20, "x");
  await using app = await startH2cApp(echo);
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy);
  const stream = client.session.request({ ...CALL, "content-length": `${16 << 20}` }, { endStream: false });
  const answer = answerOf(stream);
  await pipeline(Readable.from(Array(16).fill(piece) as Buffer[]), stream);
  expect((await answer).body.length).toBe(16 << 20);
});

test("many calls share a connection to the app, and more than it takes get another one", async () => {
  await using app = await startH2cApp(() => {}, { maxConcurrentStreams: 4 });
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy);
  const answers = Array.from({ length: 10 }, () => client.request(CALL, "x"));
  await vi.waitFor(() => expect(app.streams.size).toBe(10));
  expect(new Set([...app.streams].map(({ session }) => session)).size).toBe(3);
  for (const stream of app.streams) echo(stream);
  expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(Array(10).fill("x"));
});

test("clients of HTTP/1.1 are served, too", async () => {
  await using app = await startH2cApp(echo);
  await using proxy = await startProxy(app.port, { h2c: true });
  const client = await connectTo(proxy);
  client.send("POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  expect(await client.receives(/grpc-message: fine\r\n\r\n$/)).toMatch(
    /^HTTP\/1.1 200 [^]*Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\ngrpc-status: 0\r\n/,
  );
  client.send("GET /b HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
  expect(await client.closed).toMatch(/\r\n\r\n0\r\ngrpc-status: 0\r\ngrpc-message: fine\r\n\r\n$/);
});

test("whoever breaks off does so for the other as well; an app that isn't there is away", async () => {
  const app = await startH2cApp((stream, { ":path": path }) => {
    if (path === "/reset") stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    if (path !== "/half") return;
    stream.respond({});
    stream.write("half", () => stream.destroy(new Error("broken")));
  });
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy);
  expect((await client.request({ ":path": "/reset" })).status).toBe(502);
  await expect(client.request({ ":path": "/half" })).rejects.toThrow(/NGHTTP2_INTERNAL_ERROR/);
  const stream = client.session.request({ ":path": "/never" });
  stream.on("error", () => {});
  await vi.waitFor(() => expect(app.streams.size).toBe(1));
  stream.close(constants.NGHTTP2_CANCEL);
  await vi.waitFor(() => expect(app.streams.size).toBe(0));
  await app[Symbol.asyncDispose]();
  expect((await client.request()).status).toBe(503);
  expect(await exchange(proxy, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 503 /);
});

/** Refuses the first streams, then answers with how many came before. */
function refusing(times: number): (stream: ServerHttp2Stream) => void {
  let count = 0;
  return (stream) => {
    if (count++ < times) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else echo(stream);
  };
}

describe("a request that the app refuses unread (REFUSED_STREAM)", () => {
  test("is sent again, twice at most and with a pause, then it is a 502", async () => {
    await using app = await startH2cApp(refusing(Infinity));
    await using proxy = await startProxy(app.port, { h2c: true, wait: 5_000 });
    await using client = await connectH2(proxy);
    const startedAt = performance.now();
    expect((await client.request()).status).toBe(502);
    expect(performance.now() - startedAt).toBeGreaterThan(140);
    expect(app.heads).toHaveLength(3);
    const text = await exchange(proxy, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1.1 502 /);
    expect(app.heads).toHaveLength(6);
  });

  test("is answered when the app takes it then", async () => {
    await using app = await startH2cApp(refusing(2));
    await using proxy = await startProxy(app.port, { h2c: true, wait: 5_000 });
    await using client = await connectH2(proxy);
    expect((await client.request({ ":path": "/again" })).status).toBe(200);
    expect(app.heads.map(({ ":path": path }) => path)).toEqual(["/again", "/again", "/again"]);
    expect(new Set(app.heads.map((head) => JSON.stringify(head))).size).toBe(1);
  });

  test("isn't sent again with a body, or beyond --upstream-wait", async () => {
    await using app = await startH2cApp(refusing(Infinity));
    await using proxy = await startProxy(app.port, { h2c: true, wait: 60 });
    await using client = await connectH2(proxy);
    expect((await client.request(CALL, "message")).status).toBe(502);
    expect(app.heads).toHaveLength(1);
    expect((await client.request()).status).toBe(502);
    expect(app.heads).toHaveLength(3);
  });

  test("isn't sent again when its client has left", async () => {
    await using app = await startH2cApp(refusing(Infinity));
    await using proxy = await startProxy(app.port, { h2c: true, wait: 5_000 });
    await using client = await connectH2(proxy);
    const stream = client.session.request();
    stream.on("error", () => {});
    await vi.waitFor(() => expect(app.heads).toHaveLength(2), { interval: 1 });
    stream.close(constants.NGHTTP2_CANCEL);
    await vi.waitFor(() => expect(proxy.told).toContain("answered 499"));
    expect((await client.request()).status).toBe(502); // it takes longer than the pause
    expect(app.heads).toHaveLength(5);
  });

  test("with the whole connection goes to another one, as often and no more", async () => {
    let left = 1;
    await using app = await startH2cApp((stream) => {
      if (left-- <= 0) return echo(stream);
      stream.session?.goaway();
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    await using proxy = await startProxy(app.port, { h2c: true, wait: 5_000 });
    await using client = await connectH2(proxy);
    expect((await client.request()).status).toBe(200);
    expect(app.heads).toHaveLength(2);
    left = Infinity;
    expect((await client.request()).status).toBe(502);
    expect(app.heads).toHaveLength(5);
  });
});

test("an app that takes no more (GOAWAY): what is in flight ends, all else has a new connection", async () => {
  const sessions: Record<string, unknown[]> = {};
  await using app = await startH2cApp((stream, { ":path": path = "" }) => {
    (sessions[path] ??= []).push(stream.session);
    if (path === "/slow") return;
    if (path === "/last" && stream.id !== 1) stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 1);
    else echo(stream);
  });
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy);
  const slow = client.request({ ...CALL, ":path": "/slow" }, "message");
  await vi.waitFor(() => expect(app.streams.size).toBe(1));
  const [stream] = app.streams;
  // Its stream is above the last one that the app takes.
  expect((await client.request({ ":path": "/last" })).status).toBe(200);
  expect((await client.request({ ...CALL, ":path": "/next" }, "next")).body).toBe("next");
  expect(sessions["/last"]).toHaveLength(2);
  expect(sessions["/last"]?.[0]).toBe(stream?.session);
  expect(sessions["/next"]).toEqual([sessions["/last"]?.[1]]);
  expect(sessions["/next"]?.[0]).not.toBe(stream?.session);
  if (stream !== undefined) echo(stream);
  expect(await slow).toMatchObject({ status: 200, body: "message", trailers: { "grpc-status": "0" } });
});

test("a connection that breaks before the answer: a GET is sent again, once, a POST isn't", async () => {
  let left = 1;
  await using app = await startH2cApp((stream) => {
    if (left-- > 0) stream.session?.destroy();
    else echo(stream);
  });
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy);
  expect((await client.request()).status).toBe(200);
  expect(app.heads).toHaveLength(2);
  left = 1;
  expect((await client.request(CALL, "message")).status).toBe(502);
  expect(app.heads).toHaveLength(3);
  left = Infinity;
  expect((await client.request()).status).toBe(502);
  expect(app.heads).toHaveLength(5);
});

test.each(["HTTP/2", "HTTP/1.1"])(
  "a request (%s) that breaks with the app's last connection finds it away",
  async (protocol) => {
    await using app = await startH2cApp((stream) => {
      app.stopListening();
      stream.session?.destroy();
    });
    await using proxy = await startProxy(app.port, { h2c: true });
    if (protocol === "HTTP/2") {
      await using client = await connectH2(proxy);
      expect((await client.request()).status).toBe(503);
    } else {
      const text = await exchange(proxy, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
      expect(text).toMatch(/^HTTP\/1.1 503 /);
    }
    expect(proxy.told).toContain("away ECONNREFUSED");
    expect(proxy.told).not.toContainEqual(expect.stringMatching(/^failed/));
  },
);

test("an app that hangs up behind its whole answer: a slow client gets all of it", async () => {
  const body = Buffer.alloc(200_000, "x");
  await using app = await startH2cApp((stream) => {
    stream.respond({});
    stream.end(body);
    stream.once("close", () => stream.session?.destroy());
  });
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy, { settings: { initialWindowSize: 1_000 } });
  for (let count = 0; count < 5; count++) expect((await client.request()).body.length).toBe(body.length);
});

test("an app that doesn't speak it is told of", async () => {
  await using app = await startRawApp((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await using proxy = await startProxy(app.port, { h2c: true });
  await using client = await connectH2(proxy);
  expect((await client.request()).status).toBe(503);
  expect(proxy.told).toContain("away EPROTO");
});
