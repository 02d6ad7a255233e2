import { expect, test } from "vitest";
import { readAnswer, readRequest } from "../read-requests.ts";

test.each([
  ["GET /a?b HTTP/1.1\r\nHost: app\r\n\r\n", "GET /a?b of app, body: none"],
  ["PUT / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n", "PUT / of app, body: chunked"],
  ["GET / HTTP/1.0\r\n\r\n", "GET / of nobody, body: none"],
  ["GET / HTTP/1.1\nHost: app\n\n", /^400: /],
])("a request is read, or refused: %j", (head, expected) => {
  expect(readRequest(Buffer.from(head))).toMatch(expected);
});

test.each([
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200, body: length, behind 38 octets"],
  ["HTTP/1.0 200 OK\n\nhello", "200, body: close, behind 17 octets"],
  ["HTTP/1.1 200 OK\r\nContent-Le", "more is needed"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", /^502: /],
])("an answer is read as a gateway may: %j", (head, expected) => {
  expect(readAnswer(Buffer.from(head))).toMatch(expected);
});
