import { constants } from "node:http2";
import { expect, test, vi } from "vitest";
import { connectH2 } from "./h2-client.ts";
import { CALL, echo, startH2cApp } from "./h2c-app.ts";
import { startRawApp } from "./raw-app.ts";
import { exchange, startProxy } from "./start-proxy.ts";

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
