import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, block, connectFrames, frame } from "./h2-frames.ts";
import { OK, type RawApp, answering, startRawApp } from "./raw-app.ts";
import { type StartedProxy, startProxy } from "./start-proxy.ts";

const PROTOCOL_ERROR = "reset 1";
const BASIC = [":method", "GET", ":scheme", "https", ":path", "/", ":authority", "app.test"];
const without = (name: string) => BASIC.filter((_, index) => BASIC[index - (index % 2)] !== name);
const but = (name: string, value: string) => BASIC.map((text, index) => (BASIC[index - 1] === name ? value : text));
const post = (...fields: string[]) => [...but(":method", "POST"), ...fields];

let app: RawApp;
let proxy: StartedProxy;
beforeAll(async () => {
  app = await startRawApp(answering(OK));
  proxy = await startProxy(app.port);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

const reached = () => app.received.join("");

/** Sends a request, and says what becomes of it. */
async function send(fields: readonly string[], ...body: Buffer[]): Promise<string> {
  using client = await connectFrames(proxy);
  const head = block(...fields);
  const [first, rest] = [head.subarray(0, 16_000), head.subarray(16_000)]; // a frame may have 16 KiB
  const flags = (rest.length === 0 ? END_HEADERS : 0) | (body.length === 0 ? END_STREAM : 0);
  client.send(frame(HEADERS, flags, 1, first));
  if (rest.length > 0) client.send(frame(CONTINUATION, END_HEADERS, 1, rest));
  client.send(...body);
  return await client.outcome(1);
}

test("what all the others are measured by passes", async () => {
  expect(await send(BASIC)).toBe("200");
  expect(await send([...without(":authority"), "host", "app.test"])).toBe("200");
  expect(await send([...BASIC, "host", "APP.test", "te", "trailers", "x-a", ""])).toBe("200");
  expect(await send([":method", "OPTIONS", ":scheme", "https", ":path", "*", ":authority", "app.test"])).toBe("200");
  expect(reached()).toMatch(/^GET \/ HTTP\/1.1\r\nhost: app.test\r\n/);
});

describe("a head that is malformed never reaches the app", () => {
  test.each<[string, readonly string[], string]>([
    ["no :method", without(":method"), PROTOCOL_ERROR],
    ["no :scheme", without(":scheme"), PROTOCOL_ERROR],
    ["no :path", without(":path"), PROTOCOL_ERROR],
    ["neither :authority nor Host", without(":authority"), PROTOCOL_ERROR],
    ["an empty :path", but(":path", ""), PROTOCOL_ERROR],
    ["two :path", [...BASIC, ":path", "/b"], PROTOCOL_ERROR],
    ["two :method", [":method", "GET", ...BASIC], PROTOCOL_ERROR],
    ["two :authority", [":authority", "a.test", ...BASIC], PROTOCOL_ERROR],
    ["an unknown pseudo-header", [":x", "1", ...BASIC], PROTOCOL_ERROR],
    ["an answer's pseudo-header", [":status", "200", ...BASIC], PROTOCOL_ERROR],
    ["a pseudo-header behind fields", [...without(":path"), "x-a", "1", ":path", "/"], PROTOCOL_ERROR],
    ["Host against :authority", [...BASIC, "host", "other.test"], "400"],
    ["two Host", [...without(":authority"), "host", "app.test", "host", "app.test"], PROTOCOL_ERROR],
    ["user information", but(":authority", "user@app.test"), PROTOCOL_ERROR],
    ["a path in :authority", but(":authority", "app.test/x"), PROTOCOL_ERROR],
    ["a :path that is a URL", but(":path", "http://other.test/"), PROTOCOL_ERROR],
    ["a :path that begins elsewhere", but(":path", "x"), PROTOCOL_ERROR],
    ["* for GET", but(":path", "*"), PROTOCOL_ERROR],
    ["a space in :path", but(":path", "/a b"), PROTOCOL_ERROR],
    ["a request line in :path", but(":path", "/ HTTP/1.1\r\nX-Evil: 1"), PROTOCOL_ERROR],
    ["a fragment", but(":path", "/a#b"), "400"],
    ["a control character in :path", but(":path", "/\x01"), PROTOCOL_ERROR],
    ["a request line in :method", but(":method", "GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET"), PROTOCOL_ERROR],
    ["a line in :authority", but(":authority", "app.test\r\nX-Evil: 1"), PROTOCOL_ERROR],
    ["a line in :scheme", but(":scheme", "https\r\nX-Evil: 1"), PROTOCOL_ERROR],
    ["another :scheme", but(":scheme", "ftp"), "400"],
    ["white space before a value", [...BASIC, "x-a", " 1"], "400"],
    ["white space behind a value", [...BASIC, "x-a", "1\t"], "400"],
    ["connection", [...BASIC, "connection", "close"], PROTOCOL_ERROR],
    ["keep-alive", [...BASIC, "keep-alive", "timeout=5"], PROTOCOL_ERROR],
    ["proxy-connection", [...BASIC, "proxy-connection", "close"], PROTOCOL_ERROR],
    ["transfer-encoding", post("transfer-encoding", "chunked"), PROTOCOL_ERROR],
    ["upgrade", [...BASIC, "upgrade", "h2c"], PROTOCOL_ERROR],
    ["te that isn't trailers", [...BASIC, "te", "gzip"], PROTOCOL_ERROR],
    ["a disguised length", post("content_length", "5"), "400"],
    ["a disguised coding", post("transfer_encoding", "chunked"), "400"],
    ["two lengths", post("content-length", "0", "content-length", "0"), PROTOCOL_ERROR],
    ["a length that is no number", post("content-length", "+5"), PROTOCOL_ERROR],
    ["an expectation that isn't known", post("expect", "202-accepted"), "417"],
    ["TRACE", but(":method", "TRACE"), "501"],
    ["CONNECT", [":method", "CONNECT", ":authority", "app.test:443"], "501"],
    ["another :protocol", [...but(":method", "CONNECT"), ":protocol", "connect-udp"], "501"],
    ["a :protocol for GET", [...BASIC, ":protocol", "websocket"], PROTOCOL_ERROR],
    ["a length without a body", post("content-length", "5"), PROTOCOL_ERROR],
    ["101 fields", [...BASIC, ...Array.from({ length: 101 }, (_, index) => [`x-${index}`, "1"]).flat()], "431"],
    ["a target that is too long", but(":path", `/${"a".repeat(16_400)}`), "414"],
  ])("%s", async (_name, fields, expected) => {
    const before = reached();
    expect(await send(fields)).toBe(expected);
    expect(reached()).toBe(before);
  });

  // nghttp2 leaves such a field out, and Node has no way to hear of it.
  test.each<[string, readonly string[]]>([
    ["an upper case name", ["X-Evil", "1"]],
    ["a line in a name", ["x-a: 1\r\nx-evil", "1"]],
    ["a space in a name", ["x-evil ", "1"]],
    ["a line in a value", ["x-a", "1\r\nx-evil: 1"]],
    ["a LF in a value", ["x-a", "1\nx-evil: 1"]],
    ["a NUL in a value", ["x-a", "x-evil\0"]],
    ["upper case Transfer-Encoding", ["Transfer-Encoding", "x-evil"]],
  ])("%s: the field is gone, and nothing of it is left", async (_name, fields) => {
    const before = reached().length;
    await send([...BASIC, ...fields]);
    expect(reached().slice(before)).not.toMatch(/evil/i);
  });

  test("a head beyond 32 KiB, in however many pieces", async () => {
    const before = reached();
    const fields = block(...BASIC, ...Array.from({ length: 9 }, (_, index) => [`x-${index}`, "a".repeat(4000)]).flat());
    using client = await connectFrames(proxy);
    client.send(
      frame(HEADERS, END_STREAM, 1, fields.subarray(0, 16_000)),
      frame(CONTINUATION, 0, 1, fields.subarray(16_000, 32_000)),
      frame(CONTINUATION, END_HEADERS, 1, fields.subarray(32_000)),
    );
    expect(await client.outcome(1)).toMatch(/^(431|reset|goaway)/);
    expect(reached()).toBe(before);
  });
});

describe("a body is held against its length", () => {
  test.each<[string, Buffer[]]>([
    ["more than announced", [frame(DATA, END_STREAM, 1, "hello!")]],
    ["more than announced, with more to come", [frame(DATA, 0, 1, "hello!")]],
    ["less than announced", [frame(DATA, END_STREAM, 1, "hell")]],
    ["less than announced, in two", [frame(DATA, 0, 1, "he"), frame(DATA, END_STREAM, 1, "ll")]],
    ["less, and trailers", [frame(DATA, 0, 1, "he"), frame(HEADERS, END_HEADERS | END_STREAM, 1, block("x-a", "1"))]],
  ])("%s: broken off, and the app never gets a complete request", async (_name, body) => {
    await using silent = await startRawApp(() => {});
    await using before = await startProxy(silent.port);
    using client = await connectFrames(before);
    client.send(frame(HEADERS, END_HEADERS, 1, block(...post("content-length", "5"))), ...body);
    // Node ends the whole connection for what is beyond the length, with INTERNAL_ERROR.
    expect([PROTOCOL_ERROR, "goaway 2"]).toContain(await client.outcome(1));
    await vi.waitFor(() => expect(silent.open.size).toBe(0));
    expect(silent.received.join("")).not.toMatch(/hello/);
  });

  test("trailers are read as strictly, and name neither routes nor lengths to the app", async () => {
    await using silent = await startRawApp(() => {});
    await using before = await startProxy(silent.port);
    using client = await connectFrames(before);
    const trailers = block("x-sum", "5", "x-forwarded-for", "6.6.6.6");
    client.send(
      frame(HEADERS, END_HEADERS, 1, block(...post())),
      frame(DATA, 0, 1, "hello"),
      frame(HEADERS, END_HEADERS | END_STREAM, 1, trailers),
    );
    await vi.waitFor(() => expect(silent.received[0]).toMatch(/\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n$/));
  });

  test("a pseudo-header in the trailers: reset, and the app's request has no end", async () => {
    await using silent = await startRawApp(() => {});
    await using before = await startProxy(silent.port);
    using client = await connectFrames(before);
    client.send(
      frame(HEADERS, END_HEADERS, 1, block(...post())),
      frame(DATA, 0, 1, "hello"),
      frame(HEADERS, END_HEADERS | END_STREAM, 1, block(":path", "/b")),
    );
    expect(await client.outcome(1)).toBe(PROTOCOL_ERROR);
    await vi.waitFor(() => expect(silent.open.size).toBe(0));
    expect(silent.received.join("")).not.toMatch(/0\r\n\r\n$/);
  });
});
