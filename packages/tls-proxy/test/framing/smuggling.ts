import type { EngineName } from "../start-proxy.ts";

/** What tries to bring a second request past the proxy, as a request to `/payload` in whose bytes one to `/smuggled` hides. */
export interface Smuggling {
  readonly name: string;
  readonly bytes: (method: string) => string;
  /** The one engine that it holds for. */
  readonly only?: EngineName;
}

const HIDDEN = "GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n";
const HIDDEN_CHUNK = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n`;
const LAST = "0\r\n\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const LENGTH = `Content-Length: ${HIDDEN.length}\r\n`;

const request = (fields: string, body: string) => (method: string) =>
  `${method} /payload HTTP/1.1\r\nHost: app\r\n${fields}\r\n${body}`;

const shown = (text: string) => JSON.stringify(text).slice(1, -1);

/** A reader that knows the length sees one request; one that knows the chunks sees two (CL.TE). */
function lengthOverChunks(coding: string): Smuggling {
  const body = LAST + HIDDEN;
  return { name: `CL.TE: ${shown(coding)}`, bytes: request(`Content-Length: ${body.length}\r\n${coding}\r\n`, body) };
}

/** A reader that knows the chunks sees one request; one that knows the length sees two (TE.CL). */
function chunksOverLength(coding: string): Smuggling {
  const length = HIDDEN_CHUNK.indexOf("\n") + 1;
  const bytes = request(`${coding}\r\nContent-Length: ${length}\r\n`, `${HIDDEN_CHUNK}${LAST}`);
  return { name: `TE.CL: ${shown(coding)}`, bytes };
}

/** Spellings of Transfer-Encoding that some readers take for it and some don't (TE.TE). */
const CODINGS = [
  "Transfer-Encoding: chunked",
  "TRANSFER-ENCODING: CHUNKED",
  "Transfer-Encoding:chunked",
  "Transfer-Encoding:\tchunked",
  "Transfer-Encoding: chunked\t",
  " Transfer-Encoding: chunked",
  "\tTransfer-Encoding: chunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding\t: chunked",
  "Transfer-Encoding\r\n: chunked",
  "Transfer-Encoding\0: chunked",
  "Transfer-Encoding\x0b: chunked",
  "\xa0Transfer-Encoding: chunked",
  "Transfer Encoding: chunked",
  "Transfer_Encoding: chunked",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: chunk",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: ,chunked",
  "Transfer-Encoding: chunked,",
  "Transfer-Encoding: chunked;a=b",
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: 'chunked'",
  "Transfer-Encoding: chun\xe2\x84\xaaed",
  "Transfer-Encoding: \x0bchunked",
  "Transfer-Encoding: \x0cchunked",
  "Transfer-Encoding: chunked\x0b",
  "Transfer-Encoding: chunked\0",
  "Transfer-Encoding: chunked\x7f",
  "Transfer-Encoding: \xa0chunked",
  "Transfer-Encoding: chunked\xa0",
  "Transfer-Encoding: chunked\r",
  "Transfer-Encoding: \rchunked",
  "Transfer-Encoding:\n chunked",
  "Transfer-Encoding:\r\n chunked",
  "Transfer-Encoding:\r\n\tchunked",
  "Transfer-Encoding: chunked\r\n x",
  "Transfer-Encoding:",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
  "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer_Encoding: identity",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\rTransfer-Encoding: chunked",
  "X: y\r\r\nTransfer-Encoding: chunked",
  "X: y\0\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding",
];

/** Fields that nobody takes for framing: the length alone counts. */
const NO_CODINGS = [
  "Content-Encoding: chunked",
  "TE: chunked",
  "X-Transfer-Encoding: chunked",
  "TransferEncoding: chunked",
];

/** Lengths of a body that is a request: a reader that sees none sees a second request (CL.0, 0.CL). */
const N = HIDDEN.length;
const LENGTHS = [
  `Content-Length: ${N}`,
  `Content-Length: 00${N}`,
  `Content-Length: ${N}\r\nConnection: close, Content-Length`,
  `Content-Length: ${N}\r\nConnection: content_length`,
  `Content-Length: 0\r\nContent-Length: ${N}`,
  `Content-Length: ${N}\r\nContent-Length: 0`,
  `Content-Length: ${N}\r\nContent-Length: ${N}`,
  `Content-Length: 0, ${N}`,
  `Content-Length: ${N}, 0`,
  `Content-Length: +${N}`,
  `Content-Length: -${N}`,
  `Content-Length: 0x${N.toString(16)}`,
  `Content-Length: ${N}.0`,
  `Content-Length: ${N}e0`,
  `Content-Length: ${N};a`,
  `Content-Length: "${N}"`,
  `Content-Length: ${N} 0`,
  `Content-Length: \x0b${N}`,
  `Content-Length: ${N}\x0b`,
  `Content-Length: \xa0${N}`,
  `Content-Length: ${N}\0`,
  `Content-Length: ${N}\r`,
  `Content-Length: ${(2n ** 64n + BigInt(N)).toString()}`,
  `Content-Length: ${(2n ** 32n + BigInt(N)).toString()}, ${N}`,
  `Content-Length : ${N}`,
  `Content-Length\t: ${N}`,
  `Content-Length\0: ${N}`,
  `Content-Length\r\n: ${N}`,
  ` Content-Length: ${N}`,
  `Content-Length:\r\n ${N}`,
  `Content-Length:\n ${N}`,
  `Content-Length: ${N}\r\n 0`,
  `Content Length: ${N}`,
  `Content_Length: ${N}`,
  `Content-Length: ${N}\r\nContent_Length: 0`,
  `X: y\nContent-Length: ${N}`,
  `X: y\rContent-Length: ${N}`,
  `X: y\r\r\nContent-Length: ${N}`,
  `Content-Length: ${N}\r\nUpgrade: websocket\r\nConnection: Upgrade`,
  `Content-Length: ${N}\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk`,
  `Content-Length: ${N}\r\nX-HTTP-Method-Override: GET`,
  `Content-Length: ${N}\r\nExpect: 100-continue`,
  `Content-Length: ${N}\r\nExpect: 100-continue\r\nExpect: 100-continue`,
  `Content-Length: ${N}\r\nExpect: y 100-continue`,
  `Content-Length: ${N}\r\nExpect: 100-continue, 100-continue`,
  `Content-Length: ${N}\r\nExpect: x`,
  `Content-Length: ${N}\r\nExpect:`,
  `Content-Length: ${N}\r\nExpect :100-continue`,
  `Expect: 100-continue\r\n x\r\nContent-Length: ${N}`,
];

/** Chunked bodies that readers take apart in two ways: in each stands a request that isn't one. */
const BODIES = [
  HIDDEN_CHUNK + LAST,
  `0x0\r\n\r\n${HIDDEN}`,
  `+0\r\n\r\n${HIDDEN}`,
  `-0\r\n\r\n${HIDDEN}`,
  ` 0\r\n\r\n${HIDDEN}`,
  `0 \r\n\r\n${HIDDEN}`,
  `0\t\r\n\r\n${HIDDEN}`,
  `0\x0b\r\n\r\n${HIDDEN}`,
  `\r\n0\r\n\r\n${HIDDEN}`,
  `\r\n\r\n${HIDDEN}`,
  `0_0\r\n\r\n${HIDDEN}`,
  `"0"\r\n\r\n${HIDDEN}`,
  `0,0\r\n\r\n${HIDDEN}`,
  `g\r\n\r\n${HIDDEN}`,
  `0\n\n${HIDDEN}`,
  `0\r\n\n${HIDDEN}`,
  `0\n\r\n${HIDDEN}`,
  `0\r\r\n\r\n${HIDDEN}`,
  `0\r\r${HIDDEN}`,
  `0\r\n\r${HIDDEN}`,
  `0\0\r\n\r\n${HIDDEN}`,
  `10000000000000000\r\n\r\n${HIDDEN}`,
  // A chunk's end that isn't looked at, or is looked for.
  `5\r\nhelloXX0\r\n\r\n${HIDDEN}`,
  `5\r\nhello\n0\r\n\r\n${HIDDEN}`,
  `5\r\nhello0\r\n\r\n${HIDDEN}`,
  `5\r\nhello\r0\r\n\r\n${HIDDEN}`,
  `5\r\nhello\r\r\n0\r\n\r\n${HIDDEN}`,
  `5\r\nhello world\r\n0\r\n\r\n${HIDDEN}`,
  `5\r\nhel\r\n0\r\n\r\n${HIDDEN}`,
  // An extension that ends a line for one reader and doesn't for the other.
  `2;\nxx\r\n${HIDDEN_CHUNK}${LAST}`,
  `0;\n\r\n${HIDDEN}`,
  `0;a\n\n${HIDDEN}`,
  `0;a\r\r\n${HIDDEN}`,
  `0;a\rb\r\n\r\n${HIDDEN}`,
  `0;a="\n"\r\n\r\n${HIDDEN}`,
  `0;a="\0"\r\n\r\n${HIDDEN}`,
  `${HIDDEN.length.toString(16)};a="0;b"\r\n${HIDDEN}\r\n${LAST}`,
  // Trailers: a message's end that one reader sees earlier than the other, or fields that frame it anew.
  `0\r\n${HIDDEN}`,
  `0\r\nX: y\n\n${HIDDEN}`,
  `0\r\nX: y\r\n\n${HIDDEN}`,
  `0\r\nX: y\n\r\n${HIDDEN}`,
  `0\r\nX: y\r\r\n\r\n${HIDDEN}`,
  `0\r\nX: y\r\n z\r\n\r\n${HIDDEN}`,
  `0\r\nX\r\n\r\n${HIDDEN}`,
  `0\r\nX : y\r\n\r\n${HIDDEN}`,
  `0\r\n: y\r\n\r\n${HIDDEN}`,
  `0\r\nX: \0\r\n\r\n${HIDDEN}`,
  `${HIDDEN_CHUNK}0\r\nContent-Length: 0\r\n\r\n`,
  `${HIDDEN_CHUNK}0\r\nTransfer-Encoding: identity\r\n\r\n`,
  `${HIDDEN_CHUNK}0\r\nHost: other\r\nConnection: close\r\n\r\n`,
];

/** Sizes that Node's parser takes as the standard lets it: it waits for such a chunk, and 17 zeros are 0. */
const SIZES = [`ffffffffffffffff\r\n${HIDDEN}`, `20000000000000\r\n${HIDDEN}`, `00000000000000000\r\n\r\n${HIDDEN}`];

const inChunks = (body: string): Smuggling => ({ name: `chunks: ${shown(body)}`, bytes: request(CHUNKED, body) });

/** A first line, or what stands before it, that two readers read in two ways. */
const FIRST_LINES: Smuggling[] = [
  ...[
    (method: string) => `${method} http://other.test/payload HTTP/1.1\r\nHost: app`,
    (method: string) => `${method} http://app@other.test/payload HTTP/1.1\r\nHost: app`,
    (method: string) => `${method} http:///payload HTTP/1.1\r\nHost: app`,
    (method: string) => `${method} /payload HTTP/1.1 HTTP/1.0\r\nHost: app`,
    (method: string) => `${method} /payload HTTP/1.1\nHost: app`,
    (method: string) => `${method} /payload HTTP/1.1\rHost: app`,
    (method: string) => `${method} /payload\x0bHTTP/1.1\r\nHost: app`,
    (method: string) => `${method} /payload HTTP/1.1\r\nHost: other\r\nHost: app`,
    (method: string) => `${method} /payload HTTP/1.1\r\nHost: app\r\n Host: other`,
    (method: string) => `${method} /payload HTTP/1.1\r\nHost: app:80@other`,
    (method: string) => `${method} /payload HTTP/1.1\r\n Host: app`,
    (method: string) => `${method} /payload HTTP/1.0\r\nHost: app\r\nConnection: keep-alive`,
    (method: string) => `\r\n${method} /payload HTTP/1.1\r\nHost: app`,
  ].map((first) => ({
    name: shown(first("METHOD")),
    bytes: (method: string) => `${first(method)}\r\n${LENGTH}\r\n${HIDDEN}`,
  })),
  {
    name: "chunks in HTTP/1.0",
    bytes: (method) => `${method} /payload HTTP/1.0\r\n${CHUNKED}\r\n${HIDDEN_CHUNK}${LAST}`,
  },
  { name: "HTTP/0.9", bytes: (method) => `${method} /payload\r\n\r\n${HIDDEN}` },
];

/** Requests that are refused, with another one right behind them. */
const REFUSED: readonly (readonly [string, (method: string) => string])[] = [
  ["no Host", (method: string) => `${method} /payload HTTP/1.1\r\n\r\n`],
  ["HTTP/2.0", (method: string) => `${method} /payload HTTP/2.0\r\nHost: app\r\n\r\n`],
  ["101 fields", (method: string) => `${method} /payload HTTP/1.1\r\nHost: app\r\n${"X: 1\r\n".repeat(100)}\r\n`],
  ["a long target", (method: string) => `${method} /${"a".repeat(17_000)} HTTP/1.1\r\nHost: app\r\n\r\n`],
  ["a NUL", request("X: \0\r\n", "")],
  ["an unknown expectation", request("Expect: x\r\n", "")],
  ["TRACE", () => "TRACE /payload HTTP/1.1\r\nHost: app\r\n\r\n"],
  ["CONNECT", () => "CONNECT app:80 HTTP/1.1\r\nHost: app\r\n\r\n"],
];

const behind = ([name, bytes]: (typeof REFUSED)[number]): Smuggling => ({
  name: `behind a request that is refused: ${name}`,
  bytes: (method) => bytes(method) + HIDDEN,
});

export const SMUGGLING: readonly Smuggling[] = [
  ...CODINGS.flatMap((coding) => [lengthOverChunks(coding), chunksOverLength(coding)]),
  ...NO_CODINGS.map(lengthOverChunks),
  ...LENGTHS.map((length) => ({ name: `CL.0: ${shown(length)}`, bytes: request(`${length}\r\n`, HIDDEN) })),
  ...BODIES.map(inChunks),
  ...SIZES.map((body) => ({ ...inChunks(body), only: "relay" as const })),
  ...FIRST_LINES,
  ...REFUSED.map(behind),
];
