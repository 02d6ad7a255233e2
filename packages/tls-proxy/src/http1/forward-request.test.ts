import fc from "fast-check";
import { expect, test } from "vitest";
import { forwardRequestHead } from "./forward-request.ts";
import { Origin } from "./origin.ts";
import { Outgoing } from "./outgoing.ts";
import { RequestHead, parseRequestHead } from "./request-head.ts";

const out = new Outgoing();
const head = new RequestHead();
const stranger = new Origin({ client: { address: "192.0.2.7" } });

function forward(text: string, origin = stranger): string {
  const refusal = parseRequestHead(head, Buffer.from(text, "latin1"), 0, text.length);
  if (refusal !== undefined) throw new Error(refusal.reason);
  forwardRequestHead(head, origin, "app.internal", out);
  return out.take().toString("latin1");
}

const ours = (host: string, port = "443") =>
  `X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${port}\r\nForwarded: for=192.0.2.7;host="${host}";proto=https\r\n`;

test.each([
  [
    "origin-form, byte for byte",
    "GET /a/../b%2e?c=%zz HTTP/1.1",
    "GET /a/../b%2e?c=%zz HTTP/1.1\r\nhOST:app \r\n",
    "app",
  ],
  ["OPTIONS *", "OPTIONS * HTTP/1.1", "OPTIONS * HTTP/1.1\r\nhOST:app \r\n", "app"],
  [
    "absolute-form, whose authority wins",
    "GET http://real:81/a?b HTTP/1.1",
    "GET /a?b HTTP/1.1\r\nHost: real:81\r\n",
    "real:81",
  ],
  ["absolute-form without a path", "GET https://real HTTP/1.1", "GET / HTTP/1.1\r\nHost: real\r\n", "real"],
  ["absolute-form with a query alone", "GET https://real?a HTTP/1.1", "GET /?a HTTP/1.1\r\nHost: real\r\n", "real"],
  ["HTTP/1.0", "GET /a HTTP/1.0", "GET /a HTTP/1.1\r\nhOST:app \r\n", "app"],
])("%s", (_name, line, expected, host) => {
  const port = /:(\d+)$/.exec(host)?.[1];
  expect(forward(`${line}\r\nhOST:app \r\n\r\n`)).toBe(`${expected}${ours(host, port)}\r\n`);
});

test("HTTP/1.0 without Host gets the default one, and nobody is said to have asked for it", () => {
  const origin = ours("").replace("X-Forwarded-Host: \r\n", "").replace('host="";', "");
  expect(forward("GET / HTTP/1.0\r\nX: 1\r\n\r\n")).toBe(
    `GET / HTTP/1.1\r\nHost: app.internal\r\nX: 1\r\n${origin}\r\n`,
  );
});

test.each([
  ["chunks stay chunks", "Transfer-Encoding: Chunked", "", "Transfer-Encoding: chunked\r\n"],
  [
    "with chunks, their trailers' announcement",
    "Trailer: X\r\nTransfer-Encoding: chunked",
    "Trailer: X\r\n",
    "Transfer-Encoding: chunked\r\n",
  ],
  ["without, not", "Trailer: X\r\nContent-Length: 1", "Content-Length: 1\r\n", ""],
  ["a length", "content-LENGTH: 5", "content-LENGTH: 5\r\n", ""],
  ["an expectation", "Expect: 100-Continue\r\nContent-Length: 5", "Expect: 100-Continue\r\nContent-Length: 5\r\n", ""],
  [
    "an upgrade, as our own pair",
    "upgrade: WebSocket\r\nCONNECTION: x, upgrade\r\nX: 1",
    "",
    "Connection: Upgrade\r\nUpgrade: WebSocket\r\n",
  ],
  ["an upgrade that isn't one", "Upgrade: websocket", "", ""],
])("%s", (_name, fields, before, behind) => {
  expect(forward(`POST / HTTP/1.1\r\nHost: app\r\n${fields}\r\n\r\n`)).toBe(
    `POST / HTTP/1.1\r\nHost: app\r\n${before}${ours("app")}${behind}\r\n`,
  );
});

test("HTTP/1.0 knows no expectation", () => {
  expect(forward("POST / HTTP/1.0\r\nHost: app\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")).not.toMatch(
    /expect/i,
  );
});

test("a trusted proxy's lists go on, of several lines as one; what it can't know of is dropped", () => {
  const origin = new Origin({ client: { address: "192.0.2.7" }, trusted: true });
  const fields = [
    "X-Forwarded-For: 198.51.100.1",
    "X-Forwarded-Proto: http",
    "x-forwarded-for: 198.51.100.2",
    "X_Forwarded_For: 6.6.6.6",
    "X-Real-IP: 6.6.6.6",
    "Proxy: http://6.6.6.6/",
    "Client-Cert: :AAAA:",
    "X-Forwarded-Prefix: /a",
  ];
  const text = forward(`GET / HTTP/1.1\r\nHost: app\r\n${fields.join("\r\n")}\r\n\r\n`, origin);
  expect(text).toBe(
    'GET / HTTP/1.1\r\nHost: app\r\nX-Forwarded-For: 198.51.100.1, 198.51.100.2, 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: app\r\nX-Forwarded-Port: 443\r\nForwarded: for=192.0.2.7;host="app";proto=https\r\n\r\n',
  );
});

const DROPPED = [
  "Keep-Alive",
  "Proxy-Connection",
  "Proxy-Authorization",
  "Proxy-Authenticate",
  "TE",
  "HTTP2-Settings",
  "Forwarded",
  "X-Real-IP",
  "Proxy",
  "X-Forwarded-For",
  "X-Forwarded-Whatever",
  "Client-Cert",
  "Client-Cert-Chain",
  "X-Client-Cert-Subject",
  "X-SSL-Client-Verify",
  "SSL-Client-S-DN",
];
const flips = fc.infiniteStream(fc.boolean());
const dropped = fc
  .tuple(fc.constantFrom(...DROPPED), flips)
  .map(([name, flip]) => name.replace(/./g, (one) => (flip.next().value ? one.toLowerCase().replace("-", "_") : one)));
const other = fc.stringMatching(/^[A-Za-z0-9_.-]{0,14}$/).map((name) => `X-Q${name}`);
const value = fc.stringMatching(/^[\x20-\x7e\x80-\xff\t]{0,30}$/);
const separator = fc.constantFrom(": ", ":", ":\t ");
const line = fc.record({ name: fc.oneof(dropped, other), separator, value, listed: fc.boolean() });

test("no dropped or listed name gets through, and everything else stays byte for byte in its order", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), fc.constantFrom("1.0", "1.1"), (lines, version) => {
      const listed = lines.filter((one) => one.listed && one.name.startsWith("X-Q")).map(({ name }) => name);
      const fields = lines.map((one) => `${one.name}${one.separator}${one.value}\r\n`);
      const connection = listed.length === 0 ? "" : `Connection: ${listed.join(" ,").toUpperCase()}\r\n`;
      const goesOn = new Set(listed.map((name) => name.toLowerCase()));
      const kept = fields.filter(
        (_, index) => lines[index]?.name.startsWith("X-Q") && !goesOn.has(lines[index].name.toLowerCase()),
      );
      expect(forward(`PUT /x HTTP/${version}\r\nHost: app\r\n${connection}${fields.join("")}\r\n`)).toBe(
        `PUT /x HTTP/1.1\r\nHost: app\r\n${kept.join("")}${ours("app")}\r\n`,
      );
    }),
    { numRuns: 500 },
  );
});
