import { expect, test } from "vitest";
import { INCOMPLETE } from "./fields.ts";
import { ResponseHead, parseResponseHead } from "./response-head.ts";

const head = new ResponseHead();
const parse = (text: string, isHead = false) =>
  parseResponseHead(head, Buffer.from(text, "latin1"), 0, text.length, isHead);

test.each([
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", { framing: "length", contentLength: 5, persists: true }],
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", { framing: "length", contentLength: 5 }],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", { framing: "chunked", persists: true }],
  ["HTTP/1.1 200 OK\r\n\r\n", { framing: "close", persists: false }],
  ["HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", { framing: "none", status: 200, persists: true }],
  ["HTTP/1.1 204 None\r\n\r\n", { framing: "none", persists: true }],
  ["HTTP/1.1 304 Same\r\nContent-Length: 7\r\n\r\n", { framing: "none", contentLength: 0 }],
  ["HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", { framing: "length", persists: false, minorVersion: 0 }],
  ["HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", { persists: true }],
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", { persists: false }],
  ["HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n", { isInformational: true, framing: "none" }],
  ["HTTP/1.1 200 OK\nServer : old\nContent-Length:5\n\n", { framing: "length", contentLength: 5 }],
])("%j", (text, expected) => {
  expect(parse(text)).toBe(text.length);
  expect(head).toMatchObject(expected);
});

test("whatever an answer to HEAD announces, no body follows", () => {
  expect(parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true)).toBeGreaterThan(0);
  expect(head.framing).toBe("none");
});

test("every beginning of a head is incomplete, and never wrong", () => {
  const text = "HTTP/1.1 200 OK\r\nX-One: 1\r\nContent-Length: 5\r\n\r\n";
  for (let length = 0; length < text.length; length++) expect(parse(text.slice(0, length))).toBe(INCOMPLETE);
});

test.each([
  "SSH-2.0-OpenSSH\r\n",
  "HTTP/2 200 OK\r\n\r\n",
  "HTTP/1.1 042 Odd\r\n\r\n",
  "HTTP/1.1 20 Odd\r\n\r\n",
  "HTTP/1.1 2000 Odd\r\n\r\n",
  "HTTP/1.1 200 O\x01K\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX-A: \x00\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
  "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
])("%j can't be passed on", (text) => {
  expect(parse(text)).toBeTypeOf("string");
});
