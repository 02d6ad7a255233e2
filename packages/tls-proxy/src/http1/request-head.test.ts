import { expect, test } from "vitest";
import { RequestHead, parseRequestHead } from "./request-head.ts";

const head = new RequestHead();
const parse = (text: string) => parseRequestHead(head, Buffer.from(text, "latin1"), 0, text.length);
const get = (...fields: string[]) =>
  `GET /a?b HTTP/1.1\r\nHost: app\r\n${fields.map((one) => `${one}\r\n`).join("")}\r\n`;

test("a head is offsets into its bytes", () => {
  expect(parse(get("X-One:  1 ", "Content-Length: 12", "X-Empty:"))).toBeUndefined();
  expect(head).toMatchObject({
    method: "GET",
    target: "/a?b",
    authority: "app",
    minorVersion: 1,
    framing: "length",
    contentLength: 12,
  });
  const fields = Array.from({ length: head.fields.count }, (_, index) => [
    head.fields.name(index),
    head.fields.value(index),
  ]);
  expect(fields).toEqual([
    ["host", "app"],
    ["x-one", "1"],
    ["content-length", "12"],
    ["x-empty", ""],
  ]);
});

test("one head after the other leaves nothing behind", () => {
  parse(`POST / HTTP/1.0\r\nHost: app\r\nConnection: close, X-A\r\nX-A: 1\r\nContent-Length: 5\r\nExpect: x\r\n\r\n`);
  expect(head).toMatchObject({ close: true, listed: ["x-a"], framing: "length", minorVersion: 0 });
  parse(get());
  expect(head).toMatchObject({
    close: false,
    listed: undefined,
    framing: "none",
    contentLength: 0,
    expectsContinue: false,
    upgradeField: -1,
    minorVersion: 1,
  });
});

test.each([
  ["GET http://real.test:81/a HTTP/1.1\r\nHost: other\r\n\r\n", "real.test:81"],
  ["GET HTTPS://real.test HTTP/1.1\r\nHost: other\r\n\r\n", "real.test"],
  ["GET / HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n\r\n", "[2001:db8::1]:8443"],
  ["GET / HTTP/1.0\r\n\r\n", ""],
])("%j is for %j", (text, authority) => {
  expect(parse(text)).toBeUndefined();
  expect(head.authority).toBe(authority);
});

test.each([
  ["close", { close: true }],
  ["Keep-Alive", { keepAlive: true }],
  [" close , TE,, Upgrade ", { close: true, upgrade: true, listed: ["te"] }],
])("Connection: %s", (value, options) => {
  expect(parse(get(`Connection: ${value}`))).toBeUndefined();
  expect(head).toMatchObject({ close: false, upgrade: false, listed: undefined, keepAlive: false, ...options });
});

test("an upgrade is a matching pair of fields in HTTP/1.1 without a body", () => {
  const wish = ["Connection: Upgrade", "Upgrade: websocket"];
  for (const [text, expected] of [
    [get(...wish), true],
    [get("Upgrade: websocket"), false],
    [get("Connection: Upgrade"), false],
    [get(...wish, "Content-Length: 1"), false],
    [get(...wish).replace("HTTP/1.1", "HTTP/1.0"), false],
  ] as const) {
    expect(parse(text)).toBeUndefined();
    expect(head.upgradeField >= 0).toBe(expected);
  }
});

test.each([
  [400, "GET  / HTTP/1.1\r\nHost: app\r\n\r\n"],
  [400, "GET /\tHTTP/1.1\r\nHost: app\r\n\r\n"],
  [400, "GET / http/1.1\r\nHost: app\r\n\r\n"],
  [400, "GET /a#b HTTP/1.1\r\nHost: app\r\n\r\n"],
  [400, "GET http://user@app/ HTTP/1.1\r\nHost: app\r\n\r\n"],
  [400, "GET * HTTP/1.1\r\nHost: app\r\n\r\n"],
  [505, "GET / HTTP/1.2\r\nHost: app\r\n\r\n"],
  [505, "PRI * HTTP/2.0\r\n\r\n"],
  [501, "TRACE / HTTP/1.1\r\nHost: app\r\n\r\n"],
  [414, `GET /${"a".repeat(17_000)} HTTP/1.1\r\nHost: app\r\n\r\n`],
  [431, get(...Array.from({ length: 100 }, (_, index) => `X-${index}: 1`))],
  [417, get("Expect: 200-maybe")],
  [400, get("Content_Length: 5")],
  [400, get("Content-Length: 5", "Content-Length: 5")],
  [400, get("Content-Length: 5, 5")],
  [400, get("Content-Length: 9007199254740992")],
  [400, get("Content-Length:")],
  [400, get("Transfer-Encoding: chunked", "Transfer-Encoding: chunked")],
  [400, get("Transfer-Encoding: chunked, identity")],
  [400, get("Transfer_Encoding: chunked")],
  [400, get("Connection: content_length", "Content-Length: 5")],
  [400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"],
  [400, 'GET / HTTP/1.1\r\nHost: a"b\r\n\r\n'],
  [400, "GET / HTTP/1.1\r\nHost: app:80:80\r\n\r\n"],
])("%i for %j", (status, text) => {
  expect(parse(text)).toMatchObject({ status, reason: expect.stringMatching(/^[a-zA-Z]/) });
});

test("a Content-Length up to 2^53−1 is served", () => {
  expect(parse(get("Content-Length: 9007199254740991"))).toBeUndefined();
  expect(head.contentLength).toBe(Number.MAX_SAFE_INTEGER);
});
