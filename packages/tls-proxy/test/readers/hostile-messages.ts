import fc from "fast-check";
import { LAST, message } from "./messages.ts";

const LINES = [
  "Content-Length: 0",
  "Content-Length: 5",
  "Content-Length: 41",
  "Content-Length: +5",
  "Content-Length: 0x5",
  "Content-Length: 5, 5",
  "Content-Length: 5 5",
  "Content-Length: ",
  "Content-Length: 9007199254740993",
  "Content-Length: 18446744073709551621",
  "Content-Length : 5",
  "Content-Length\x00: 5",
  "Content_Length: 5",
  "content.length: 5",
  "\tContent-Length: 5",
  "X: a\nContent-Length: 5",
  "X: a\rContent-Length: 5",
  "X: a\r\n Content-Length: 5",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: CHUNKED",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked;q=1",
  "Transfer-Encoding: \vchunked",
  "Transfer-Encoding: chunked\f",
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding:",
  "Transfer-Encoding : chunked",
  "Transfer_Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
  "Transfer-Encoding: chunked\r\nContent-Length: 5",
  "\xffTransfer-Encoding: chunked",
  "Connection: content-length",
  "Connection: transfer-encoding",
  "Connection: x-odd, close",
  "Connection: keep-alive",
  "Connection: Upgrade\r\nUpgrade: websocket",
  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
  "Expect: 100-continue",
  "TE: trailers",
  "Trailer: Content-Length",
  "Host: other.test",
  "Proxy-Connection: close",
];

/** What is written once, and what is put there instead. */
const REPLACEMENTS: readonly [string, string][] = [
  ["HTTP/1.1", "HTTP/1.0"],
  ["HTTP/1.1", "HTTP/0.9"],
  ["HTTP/1.1", "HTTP/1.2"],
  ["HTTP/1.1", "HTTP/2.0"],
  ["HTTP/1.1", "HTTP/1.1 "],
  [" HTTP/1.1", "  HTTP/1.1"],
  [" HTTP/1.1", "\tHTTP/1.1"],
  [" HTTP/1.1", ""],
  [" /", " http://other.test/"],
  [" /", " http://other.test"],
  ["Host: app.test", "Host: app.test:80"],
  ["Host: app.test\r\n", ""],
  ["\r\n\r\n", "\n\n"],
  ["\r\n\r\n", "\r\n\n"],
  ["\r\n\r\n", "\r\n \r\n"],
  ["\r\n", "\n"],
  ["\r\n", "\r"],
  ["\r\n", "\r\r\n"],
  ["\r\n0", "\r\n0x0"],
  ["\r\n0", "\r\n 0"],
  ["\r\n0", "\r\n-0"],
  ["\r\n0", "\n0"],
  ["0\r\n\r\n", "0 \r\n\r\n"],
  ["0\r\n\r\n", "0;\n\r\n"],
  ["0\r\n\r\n", "0\r\n"],
  ["0\r\n\r\n", "0\n\n"],
  ["0\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n"],
  ["0\r\n\r\n", "0\r\n folded\r\n\r\n"],
  ["0\r\n\r\n", "ffffffffffffffff\r\n\r\n"],
  ["0\r\n\r\n", "10000000000000000\r\n\r\n"],
  ["chunked", "chunked\r\nContent-Length: 3"],
  ["GET", "\r\nGET"],
  ["GET", "\r\n\r\nGET"],
  ["GET", "\nGET"],
];

const OCTETS = "\0\t\n\v\r :;,0x+-_\x80\xff".split("");

type Change = (text: string) => string;

const line = fc.constantFrom(...LINES).map(
  (added): Change =>
    (text) =>
      text.replace("\r\n", () => `\r\n${added}\r\n`),
);

const lineAtEnd = fc.constantFrom(...LINES).map(
  (added): Change =>
    (text) =>
      text.replace("\r\n\r\n", () => `\r\n${added}\r\n\r\n`),
);

const replacement = fc.constantFrom(...REPLACEMENTS).map(
  ([from, to]): Change =>
    (text) =>
      text.replace(from, () => to),
);

const octet = fc
  .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1), fc.constantFrom(...OCTETS))
  .map(([at, removed, inserted]): Change => {
    return (text) => {
      const position = Math.floor(Math.min(at * 300, text.length - 1));
      return text.slice(0, position) + inserted + text.slice(position + removed);
    };
  });

const change = fc.oneof(
  { weight: 3, arbitrary: line },
  { weight: 1, arbitrary: lineAtEnd },
  { weight: 3, arbitrary: replacement },
  { weight: 2, arbitrary: octet },
);

/** A conversation of requests, one of which was tampered with where it says where it ends. */
export const hostileConversation = fc
  .tuple(fc.array(message, { maxLength: 1 }), message, fc.array(change, { minLength: 1, maxLength: 2 }))
  .map(([before, { text }, changes]) => {
    const tampered = changes.reduce((changed, one) => one(changed), text);
    return before.map((one) => one.text).join("") + tampered + LAST;
  });
