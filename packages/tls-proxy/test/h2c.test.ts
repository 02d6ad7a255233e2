import { once } from "node:events";
import { type IncomingHttpHeaders, constants } from "node:http2";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { answerOf, connectH2 } from "./h2-client.ts";
import { CALL, echo, startH2cApp } from "./h2c-app.ts";
import { connectTo, startProxy } from "./start-proxy.ts";

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

test.each([
  ["application/grpc+proto", true],
  ["application/octet-stream", false],
])("a stream of %s whose client is silent for long goes on: %j", async (type, goesOn) => {
  await using app = await startH2cApp(echo);
  const relay = { minBodyRate: 1_000, bodyRateWindow: 100, stallTimeout: 200 };
  await using proxy = await startProxy(app.port, { h2c: true, relay });
  await using client = await connectH2(proxy);
  const stream = client.session.request({ ...CALL, "content-type": type }, { endStream: false });
  const closed = new Promise((resolve) => stream.on("error", () => {}).once("close", () => resolve("cut off")));
  stream.write("one");
  expect(String(await once(stream, "data"))).toBe("one");
  const silence = delay(2_500, "silent"); // clients are looked at every second
  expect(await Promise.race([closed, silence])).toBe(goesOn ? "silent" : "cut off");
  if (!goesOn) return;
  stream.write("two");
  expect(String(await once(stream, "data"))).toBe("two");
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
