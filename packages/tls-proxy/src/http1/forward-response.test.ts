import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { type AnswerOptions, NO_RULES, answerRules } from "../answers/answer-rules.ts";
import { answerFields, forwardResponseHead } from "./forward-response.ts";
import { Outgoing } from "./outgoing.ts";
import { ResponseHead, parseResponseHead } from "./response-head.ts";

const out = new Outgoing();
const head = new ResponseHead();
const plain = { chunked: false, close: false, host: "app.test", rules: NO_RULES };
const repairs: AnswerOptions = {
  hsts: 60_000,
  hstsIncludeSubdomains: false,
  repair: "all",
  app: { host: "127.0.0.1", port: 8080 },
};

function forward(text: string, connection: Partial<typeof plain> = {}): string {
  const read = parseResponseHead(head, Buffer.from(text, "latin1"), 0, text.length, false);
  if (read !== text.length) throw new Error(String(read));
  forwardResponseHead(head, { ...plain, ...connection }, out);
  return out.take().toString("latin1");
}

/** The same without the Date that every final answer gets. */
function forwardUndated(text: string, connection: Partial<typeof plain> = {}): string {
  return forward(text, connection).replace(/\r\nDate: \w{3}, .* GMT\r\n/, "\r\n");
}

test("a final answer without a Date gets one; the app's own stays where it is", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2030, 1, 3, 4, 5, 6, 999) });
  const begin = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n";
  expect(forward(`${begin}\r\n`)).toBe(`${begin}Date: Sun, 03 Feb 2030 04:05:06 GMT\r\n\r\n`);
  vi.advanceTimersByTime(1);
  expect(forward(`${begin}\r\n`)).toBe(`${begin}Date: Sun, 03 Feb 2030 04:05:07 GMT\r\n\r\n`);
  for (const own of ["date: yesterday\r\nX-A: 1\r\n", "DATE:\r\n"])
    expect(forward(`${begin}${own}\r\n`)).toBe(`${begin}${own}\r\n`);
  expect(forward(`${begin}Date: now\r\nConnection: date\r\n\r\n`)).toBe(
    `${begin}Date: Sun, 03 Feb 2030 04:05:07 GMT\r\n\r\n`,
  );
  for (const early of ["HTTP/1.1 103 Early\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"])
    expect(forward(early)).toBe(early);
  vi.useRealTimers();
});

test.each([
  [
    "as it came",
    "HTTP/1.1 200 All \xe9 right\r\nserver:Old \r\nContent-Length: 5\r\n\r\n",
    {},
    "HTTP/1.1 200 All \xe9 right\r\nserver:Old \r\nContent-Length: 5\r\n\r\n",
  ],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", {}, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
  [
    "line ends and white space",
    "HTTP/1.1 200 OK\nServer : old\nContent-Length:5\n\n",
    {},
    "HTTP/1.1 200 OK\r\nServer: old\r\nContent-Length: 5\r\n\r\n",
  ],
  ["no space, either", "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n", {}, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"],
  ["no reason", "HTTP/1.0 299\r\nContent-Length: 0\r\n\r\n", {}, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"],
  [
    "of two equal lengths one",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1\r\nContent-Length: 5\r\n\r\n",
    {},
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1\r\n\r\n",
  ],
  [
    "no length with 204",
    "HTTP/1.1 204 None\r\nContent-Length: 5\r\nX: 1\r\n\r\n",
    {},
    "HTTP/1.1 204 None\r\nX: 1\r\n\r\n",
  ],
  [
    "a length with 304",
    "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n",
    {},
    "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n",
  ],
  [
    "chunks, with their trailers' announcement",
    "HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n",
    { chunked: true },
    "HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n",
  ],
  [
    "chunks to HTTP/1.0",
    "HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n",
    { close: true },
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
  ],
  [
    "a body that ends with the app's connection",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    { chunked: true },
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  ],
  [
    "an answer before the answer",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    { close: true },
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
  ],
  [
    "a switch",
    "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade, X\r\nX: 1\r\nY: 2\r\n\r\n",
    { close: true },
    "HTTP/1.1 101 Go\r\nY: 2\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  ],
])("%s", (_name, text, connection, expected) => {
  expect(forwardUndated(text, connection)).toBe(expected);
});

test("rules rewrite what they are for, add what the app doesn't say, and leave the rest", () => {
  const rules = answerRules(repairs);
  const fields = "Set-Cookie: a=1\r\nX:1\r\nLocation: http://127.0.0.1:8080/b\r\nContent-Length: 0\r\n";
  expect(forwardUndated(`HTTP/1.1 302 Found\r\n${fields}\r\n`, { rules })).toBe(
    "HTTP/1.1 302 Found\r\nSet-Cookie: a=1; Secure\r\nX: 1\r\nLocation: https://app.test/b\r\nContent-Length: 0\r\nStrict-Transport-Security: max-age=60\r\n\r\n",
  );
  const own = "HTTP/1.1 200 OK\r\nSTRICT-transport-security: max-age=1\r\nContent-Length: 0\r\n\r\n";
  expect(forwardUndated(own, { rules })).toBe(own);
  expect(forwardUndated("HTTP/1.1 103 Early\r\n\r\n", { rules })).toBe("HTTP/1.1 103 Early\r\n\r\n");
});

const DROPPED = ["Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "TE", "Upgrade", "Trailer"];
const dropped = fc
  .tuple(fc.constantFrom(...DROPPED), fc.infiniteStream(fc.boolean()))
  .map(([name, flip]) => name.replace(/./g, (one) => (flip.next().value ? one.toLowerCase().replace("-", "_") : one)));
const other = fc.stringMatching(/^[A-Za-z0-9_.-]{0,14}$/).map((name) => `X-Q${name}`);
const value = fc.stringMatching(/^([\x21-\x7e\x80-\xff]{1,20})?$/);
const lineEnd = fc.constantFrom("\r\n", "\n");
const line = fc.record({ name: fc.oneof(dropped, other), value, listed: fc.boolean(), end: lineEnd });

test("no dropped or listed name gets through, and everything else stays in its order", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), fc.constantFrom("1.0", "1.1"), (lines, version) => {
      const isOther = (name: string) => name.startsWith("X-Q");
      const listed = new Set(
        lines.filter((one) => one.listed && isOther(one.name)).map(({ name }) => name.toLowerCase()),
      );
      const fields = lines.map((one) => `${one.name}: ${one.value}${one.end}`).join("");
      const connection = listed.size === 0 ? "" : `connection: ${[...listed].join(",")}\r\n`;
      const kept = lines.filter(({ name }) => isOther(name) && !listed.has(name.toLowerCase()));
      const shown = kept.map((one) => `${one.name}: ${one.value}\r\n`).join("");
      expect(forwardUndated(`HTTP/${version} 200 OK\r\n${fields}${connection}Content-Length: 0\r\n\r\n`)).toBe(
        `HTTP/1.1 200 OK\r\n${shown}Content-Length: 0\r\n\r\n`,
      );
      expect(answerFields(head, plain)).toEqual([
        ...kept.flatMap((one) => [one.name.toLowerCase(), one.value]),
        "content-length",
        "0",
      ]);
    }),
    { numRuns: 500 },
  );
});
