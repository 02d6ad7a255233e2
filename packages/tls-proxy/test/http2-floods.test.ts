import { constants } from "node:http2";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  type FrameClient,
  GOAWAY,
  HEADERS,
  PING,
  PRIORITY,
  SETTINGS,
  WINDOW_UPDATE,
  block,
  connectFrames,
  frame,
  rstStream,
  uint32,
} from "./h2-frames.ts";
import { type H2Client, connectH2 } from "./h2-client.ts";
import { OK, type RawApp, startRawApp } from "./raw-app.ts";
import { type StartedProxy, startProxy } from "./start-proxy.ts";

const GET = block(":method", "GET", ":scheme", "https", ":path", "/", ":authority", "app.test");
const POST = block(":method", "POST", ":scheme", "https", ":path", "/", ":authority", "app.test");

const OFTEN = { interval: 1, timeout: 1_000 };

let app: RawApp;
let proxy: StartedProxy;
let bystander: H2Client;
let client: FrameClient;
beforeAll(async () => {
  app = await startRawApp((socket, received) => {
    const last = received.split(/(?=GET |POST )/).at(-1);
    if (last?.startsWith("GET /quick")) socket.write(OK);
  });
  proxy = await startProxy(app.port);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});
beforeEach(async () => {
  bystander = await connectH2(proxy);
  client = await connectFrames(proxy);
  client.socket.on("data", () => {});
});
/** Whatever one client does, others are served, and nothing of its own stays. */
async function aftermath(): Promise<string> {
  const { body } = await bystander.request({ ":path": "/quick" });
  await bystander[Symbol.asyncDispose]();
  client.socket.destroy();
  await vi.waitUntil(() => proxy.front.open === 0);
  return body;
}

/** Sends on until the connection is closed, which takes a moment to be heard of. */
async function flood(next: (round: number) => Buffer): Promise<number> {
  let rounds = 0;
  while (!client.socket.destroyed && rounds < 5_000) {
    client.send(next(rounds++));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.closed;
  return rounds;
}

test("rapid reset is cut off", async () => {
  const rounds = await flood((round) => {
    const stream = 2 * round + 1;
    return Buffer.concat([frame(HEADERS, END_HEADERS | END_STREAM, stream, GET), rstStream(stream, 8)]);
  });
  expect(rounds).toBeLessThan(1_500);
  expect(await aftermath()).toBe("ok");
});

test("a reset of every stream a moment after it reached the app is cut off", async () => {
  for (let stream = 1; !client.socket.destroyed && stream < 1_500; stream += 2) {
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, GET));
    await vi.waitFor(() => expect(app.open.size > 0 || client.socket.destroyed).toBe(true), OFTEN);
    client.send(rstStream(stream, 8));
    await vi.waitFor(() => expect(app.open.size === 0 || client.socket.destroyed).toBe(true), OFTEN);
  }
  const { payload } = await client.receives(({ type }) => type === GOAWAY);
  expect(payload.readUInt32BE(4)).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  await vi.waitFor(() => expect(app.open.size).toBeLessThan(3));
  expect(await aftermath()).toBe("ok");
});

test("streams that have themselves reset by what they send are cut off", async () => {
  const rounds = await flood((round) => {
    const stream = 2 * round + 1;
    // An increment of 0 is a stream error (RFC 9113 §6.9).
    return Buffer.concat([frame(HEADERS, END_HEADERS, stream, POST), frame(WINDOW_UPDATE, 0, stream, uint32(0))]);
  });
  expect(rounds).toBeLessThan(1_500);
  expect(await aftermath()).toBe("ok");
});

test("no more than 128 streams at a time", async () => {
  const streams = Array.from({ length: 200 }, (_, index) =>
    frame(HEADERS, END_HEADERS | END_STREAM, 2 * index + 1, GET),
  );
  client.send(...streams);
  expect(await client.outcome(399)).toMatch(/^(reset|goaway)/);
  expect(app.open.size).toBeLessThanOrEqual(130);
  expect(await aftermath()).toBe("ok");
});

test("a head in endless CONTINUATION frames", async () => {
  client.send(frame(HEADERS, END_STREAM, 1, GET));
  await flood(() => frame(CONTINUATION, 0, 1, ""));
  expect(await aftermath()).toBe("ok");
});

test("empty DATA without an end", async () => {
  client.send(frame(HEADERS, END_HEADERS, 1, POST));
  await flood(() => frame(DATA, 0, 1));
  expect(await aftermath()).toBe("ok");
});

test.each([
  ["PING", frame(PING, 0, 0, Buffer.alloc(8))],
  ["SETTINGS", frame(SETTINGS, 0, 0)],
])("%s by the thousand from a client that doesn't read the answers", async (_name, one) => {
  client.socket.pause();
  const many = Buffer.concat(Array(1_000).fill(one) as Buffer[]);
  for (let round = 0; round < 1_000 && !client.socket.destroyed; round++) {
    client.send(many);
    if (client.socket.writableLength > 16 * many.length) break; // nobody takes them any more
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(process.memoryUsage().rss).toBeLessThan(600 << 20);
  expect(await aftermath()).toBe("ok");
});

test("a SETTINGS frame with too many entries", async () => {
  client.send(frame(SETTINGS, 0, 0, Buffer.alloc(6 * 100, Buffer.from([0, 3, 0, 0, 0, 100]))));
  await client.closed;
  expect(await aftermath()).toBe("ok");
});

test("PRIORITY and WINDOW_UPDATE cost nothing that stays", async () => {
  const noise = Buffer.concat([frame(PRIORITY, 0, 1, Buffer.alloc(5, 3)), frame(WINDOW_UPDATE, 0, 0, uint32(1))]);
  for (let round = 0; round < 200; round++) client.send(Buffer.concat(Array(50).fill(noise) as Buffer[]));
  client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, GET));
  client.send(frame(PING, 0, 0, Buffer.alloc(8)));
  await Promise.race([client.closed, client.receives(({ type }) => type === PING)]);
  expect(await aftermath()).toBe("ok");
});

test("what isn't HTTP/2 at all", async () => {
  client.send(Buffer.from("GET / HTTP/1.1\r\nHost: app\r\n\r\n"));
  await client.closed;
  expect(await aftermath()).toBe("ok");
});
