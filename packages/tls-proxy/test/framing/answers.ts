import type { EngineName } from "../start-proxy.ts";

/** An app's answer, byte for byte, and what the client must see of it. */
export interface AnswerRow {
  readonly name: string;
  /** `GET / HTTP/1.1` unless said. */
  readonly line?: string;
  /** What the app sends; then it waits for the next request, unless it closes. */
  readonly answer: string;
  readonly closes?: boolean;
  /** All that the client gets, byte for byte, chunks of a body put together, without a Date that isn't the app's; or the status of our own answer instead. */
  readonly client: string | 502;
  /** Whether the proxy ends the client's connection behind it. */
  readonly ends?: boolean;
  /** The one engine that it holds for: http-proxy's answers are put together anew by Node, which adds fields of its own. */
  readonly only?: EngineName;
}

const LENGTH = "Content-Length: 5\r\n";
const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";

/** Passed byte for byte. */
function untouched(name: string, answer: string, more: Partial<AnswerRow> = {}): AnswerRow {
  return { name, answer, client: answer, ...more };
}

const becomes = (name: string, answer: string, client: string, more: Partial<AnswerRow> = {}): AnswerRow => ({
  name,
  answer,
  client,
  ...more,
});

const refused = (name: string, answer: string, more: Partial<AnswerRow> = {}): AnswerRow => ({
  name,
  answer,
  client: 502,
  ...more,
});

const PASSED: AnswerRow[] = [
  untouched("a body by its length", `${OK}Server: old\r\n${LENGTH}X-A: \xe9\t b\r\nx-a: 2\r\nX_B: 3\r\n\r\nhe\0\r\n`),
  untouched("the app's Date, whatever it says", `${OK}date: Sun, 06 Nov 1994 08:49:37 GMT\r\n${LENGTH}\r\nhello`),
  untouched("no body", `${OK}Content-Length: 0\r\n\r\n`),
  untouched("no reason", `HTTP/1.1 200 \r\n${LENGTH}\r\nhello`),
  untouched("a status that nobody knows, and a long reason", `HTTP/1.1 799 It: is \xe9 so\r\n${LENGTH}\r\nhello`),
  untouched("white space around a value", `${OK}X-A:1\r\nX-B:  2\t\r\n${LENGTH}\r\nhello`, { only: "relay" }),
  untouched("204", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"),
  untouched("304 with a length", `HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n${LENGTH}\r\n`),
  untouched("HEAD with a length", `${OK}${LENGTH}\r\n`, { line: "HEAD / HTTP/1.1" }),
  untouched("HEAD without a length", `${OK}X-A: 1\r\n\r\n`, { line: "HEAD / HTTP/1.1" }),
  untouched("100", `HTTP/1.1 100 Continue\r\n\r\n${OK}${LENGTH}\r\nhello`),
  untouched(
    "103 with its fields, twice",
    `${"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(2)}${OK}${LENGTH}\r\nhello`,
    { only: "relay" },
  ),
  untouched("a field that is dropped from requests", `${OK}Proxy: 1\r\n${LENGTH}\r\nhello`),
  becomes("chunks", `${OK}${CHUNKED}\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, `${OK}${CHUNKED}\r\nhello`),
  becomes("chunks before other fields", `${OK}${CHUNKED}X-A: 1\r\n\r\n0\r\n\r\n`, `${OK}X-A: 1\r\n${CHUNKED}\r\n`),
  becomes("extensions", `${OK}${CHUNKED}\r\n5;a="b"\r\nhello\r\n0;c\r\n\r\n`, `${OK}${CHUNKED}\r\nhello`),
  becomes(
    "trailers",
    `${OK}Trailer: X-Sum\r\n${CHUNKED}\r\n5\r\nhello\r\n0\r\nX-Sum:  1\r\nContent-Length: 9\r\nX-B: 2\r\n\r\n`,
    `${OK}Trailer: X-Sum\r\n${CHUNKED}\r\nhelloX-Sum:  1\r\nX-B: 2\r\n`,
    { only: "relay" },
  ),
  becomes("two equal lengths", `${OK}${LENGTH}X-A: 1\r\n${LENGTH}\r\nhello`, `${OK}${LENGTH}X-A: 1\r\n\r\nhello`, {
    only: "relay",
  }),
  becomes("204 with a length", `HTTP/1.1 204 No Content\r\n${LENGTH}\r\n`, "HTTP/1.1 204 No Content\r\n\r\n"),
  becomes("chunks with 204", `HTTP/1.1 204 No Content\r\n${CHUNKED}\r\n`, "HTTP/1.1 204 No Content\r\n\r\n"),
  becomes(
    "LF as line ends",
    `HTTP/1.1 200 OK\nX-A: 1\n${LENGTH.trimEnd()}\n\nhello`,
    `${OK}X-A: 1\r\n${LENGTH}\r\nhello`,
    { only: "relay" },
  ),
  becomes("LF and CRLF", `HTTP/1.1 200 OK\r\nX-A: 1\n${LENGTH}\nhello`, `${OK}X-A: 1\r\n${LENGTH}\r\nhello`, {
    only: "relay",
  }),
  becomes(
    "a space before a colon",
    `${OK}X-A : 1\r\nContent-Length\t: 5\r\n\r\nhello`,
    `${OK}X-A: 1\r\n${LENGTH}\r\nhello`,
    { only: "relay" },
  ),
  becomes("no reason and no space", `HTTP/1.1 200\n${LENGTH}\r\nhello`, `HTTP/1.1 200 \r\n${LENGTH}\r\nhello`, {
    only: "relay",
  }),
  becomes("HTTP/1.0", `HTTP/1.0 200 Fine\r\n${LENGTH}\r\nhello`, `HTTP/1.1 200 Fine\r\n${LENGTH}\r\nhello`),
  becomes(
    "HTTP/1.0 that keeps its connection",
    `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: max=5\r\n${LENGTH}\r\nhello`,
    `${OK}${LENGTH}\r\nhello`,
  ),
  becomes("HTTP/1.0 until it closes", "HTTP/1.0 200 OK\r\n\r\nhello", `${OK}${CHUNKED}\r\nhello`, { closes: true }),
  becomes("until it closes", `${OK}X-A: 1\r\n\r\nhello`, `${OK}X-A: 1\r\n${CHUNKED}\r\nhello`, { closes: true }),
  becomes("nothing until it closes", `${OK}\r\n`, `${OK}${CHUNKED}\r\n`, { closes: true }),
  becomes("Connection: close", `${OK}Connection: close\r\n${LENGTH}\r\nhello`, `${OK}${LENGTH}\r\nhello`, {
    closes: true,
  }),
  becomes(
    "one connection's own fields",
    `${OK}Connection: X-Own, keep-alive\r\nX-Own: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: h2\r\n${LENGTH}X-A: 1\r\n\r\nhello`,
    `${OK}${LENGTH}X-A: 1\r\n\r\nhello`,
  ),
  becomes(
    "a length among one connection's own fields",
    `${OK}Connection: content-length, X-Own\r\nX-Own: 1\r\n${LENGTH}\r\nhello`,
    `${OK}${LENGTH}\r\nhello`,
  ),
];

const TO_HTTP10: AnswerRow[] = (
  [
    ["a body by its length", `${OK}${LENGTH}\r\nhello`, `${OK}${LENGTH}Connection: close\r\n\r\nhello`],
    ["chunks", `${OK}${CHUNKED}\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`, `${OK}Connection: close\r\n\r\nhello`],
    [
      "100 and 103",
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\n${OK}${LENGTH}\r\nhello`,
      `${OK}${LENGTH}Connection: close\r\n\r\nhello`,
    ],
  ] as const
).map(([name, answer, client]) =>
  becomes(`to HTTP/1.0: ${name}`, answer, client, { line: "GET / HTTP/1.0", ends: true }),
);

const REFUSED: AnswerRow[] = [
  refused("a length and chunks", `${OK}${LENGTH}${CHUNKED}\r\n0\r\n\r\n`),
  refused("chunks and a length", `${OK}${CHUNKED}${LENGTH}\r\n0\r\n\r\n`),
  refused("two lengths", `${OK}${LENGTH}Content-Length: 6\r\n\r\nhello`),
  refused("a list of lengths", `${OK}Content-Length: 5, 5\r\n\r\nhello`),
  refused("a signed length", `${OK}Content-Length: +5\r\n\r\nhello`),
  refused("a length beyond 2^53", `${OK}Content-Length: 9007199254740992\r\n\r\nhello`, { only: "relay" }),
  refused("a length disguised by an underscore", `${OK}Content_Length: 5\r\n\r\nhello`, { only: "relay" }),
  refused("another transfer coding", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, { only: "relay" }),
  refused("chunked twice", `${OK}${CHUNKED}${CHUNKED}\r\n0\r\n\r\n`, { only: "relay" }),
  refused("chunks in HTTP/1.0", `HTTP/1.0 200 OK\r\n${CHUNKED}\r\n0\r\n\r\n`, { only: "relay" }),
  refused("a folded field", `${OK}X-A: 1\r\n 2\r\n${LENGTH}\r\nhello`, { only: "relay" }),
  refused("a NUL in a field", `${OK}X-A: \0\r\n${LENGTH}\r\nhello`),
  refused("a bare CR in a field", `${OK}X-A: a\rb\r\n${LENGTH}\r\nhello`),
  refused("a space in a name", `${OK}X A: 1\r\n${LENGTH}\r\nhello`),
  refused("an empty name", `${OK}: 1\r\n${LENGTH}\r\nhello`),
  refused("a line without a colon", `${OK}X-A\r\n${LENGTH}\r\nhello`),
  refused("101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
  refused("HTTP/2", `HTTP/2 200 OK\r\n${LENGTH}\r\nhello`),
  refused("a status of two digits", `HTTP/1.1 20 OK\r\n${LENGTH}\r\nhello`),
  refused("a status of four digits", `HTTP/1.1 2000 OK\r\n${LENGTH}\r\nhello`),
  refused("another protocol", "SSH-2.0-OpenSSH_9.2\r\n"),
];

export const ANSWERS: readonly AnswerRow[] = [...PASSED, ...TO_HTTP10, ...REFUSED];
