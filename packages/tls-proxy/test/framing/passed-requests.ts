import type { EngineName } from "../start-proxy.ts";
import type { Forwarded } from "./forwarded-head.ts";

/** A request that must reach the app, and how. */
export interface PassedRequest {
  readonly name: string;
  readonly bytes: string;
  readonly head: Forwarded;
  /** Without framing. */
  readonly body?: string;
  readonly trailers?: string;
  /** The one engine that it holds for; http-proxy's own head is put together anew by Node, without trailers. */
  readonly only?: EngineName;
}

const HOST = "Host: app\r\n";
const get = (fields: string) => `GET / HTTP/1.1\r\n${HOST}${fields}\r\n`;
const post = (fields: string, body: string) => `POST /p HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
const chunks = (body: string) => post("Transfer-Encoding: chunked\r\n", body);
const GET = { line: "GET / HTTP/1.1", lines: HOST };
const POST = { line: "POST /p HTTP/1.1", lines: HOST };
const CHUNKED = { ...POST, chunked: true };
const LENGTH_5 = "Content-Length: 5\r\n";

/** A method and a target that must arrive byte for byte. */
function untouched(method: string, target: string, only?: EngineName): PassedRequest {
  const line = `${method} ${target} HTTP/1.1`;
  return {
    name: `${method} ${target}`,
    bytes: `${line}\r\n${HOST}\r\n`,
    head: { line, lines: HOST },
    ...(only && { only }),
  };
}

/** Fields that must not arrive. */
const dropped = (fields: string, only?: EngineName): PassedRequest => ({
  name: `without ${fields.trimEnd().replaceAll("\r\n", ", ")}`,
  bytes: `GET / HTTP/1.1\r\n${HOST}X-Before: 1\r\n${fields}X-After: 2\r\n\r\n`,
  head: { ...GET, lines: `${HOST}X-Before: 1\r\nX-After: 2\r\n` },
  ...(only && { only }),
});

/** Fields that must arrive byte for byte. */
const kept = (name: string, fields: string, only?: EngineName): PassedRequest => ({
  name,
  bytes: get(fields),
  head: { ...GET, lines: HOST + fields },
  ...(only && { only }),
});

function forHost(host: string): PassedRequest {
  const lines = `Host: ${host}\r\n`;
  return { name: `Host: ${host}`, bytes: `GET / HTTP/1.1\r\n${lines}\r\n`, head: { ...GET, lines, host } };
}

function absolute(target: string, host: string, path: string, method = "GET"): PassedRequest {
  const head = { line: `${method} ${path} HTTP/1.1`, lines: `Host: ${host}\r\n`, host };
  return { name: `${method} ${target}`, bytes: `${method} ${target} HTTP/1.1\r\n${HOST}\r\n`, head };
}

const LINES: PassedRequest[] = [
  ...["GET", "HEAD", "OPTIONS", "DELETE", "PROPFIND", "PATCH"].map((method) => untouched(method, "/")),
  untouched("G.E-T_!#$%&'*+^`|~09", "/", "relay"),
  untouched("get", "/", "relay"),
  untouched("OPTIONS", "*"),
  untouched("GET", "/a/../b/./c//d?x=%2e%2E%00&y=\"<>\\^`{|}[]';"),
  untouched("GET", "//other/path"),
  untouched("GET", "/http://other/"),
  untouched("GET", "/?http://other/?a=b@c:d"),
  { name: "an empty line before the request", bytes: `\r\n${get("")}`, head: GET },
  absolute("http://real.test/a?b", "real.test", "/a?b"),
  absolute("http://real.test:81/a?b", "real.test:81", "/a?b"),
  absolute("HTTPS://Real.test", "Real.test", "/"),
  absolute("https://real.test?a/b", "real.test", "/?a/b"),
  absolute("http://real.test:81", "real.test:81", "*", "OPTIONS"),
  absolute("http://real.test/", "real.test", "/", "OPTIONS"),
  absolute("http://real.test?a", "real.test", "/?a", "OPTIONS"),
  absolute("http://[2001:db8::1]:8443/", "[2001:db8::1]:8443", "/"),
];

const FIELDS: PassedRequest[] = [
  forHost("app:8443"),
  forHost("192.0.2.1"),
  forHost("[2001:db8::1]"),
  forHost("a-b_c.example"),
  kept("fields in their order, twice the same one, in any case", "b: 1\r\nA: 2\r\nb: 3\r\nX-Under_Score: 4\r\n"),
  kept("bytes beyond ASCII in a value", "X-Text: caf\xe9 \xc3\xa9 \x80\xff\r\n"),
  kept("white space in and around values", "X-One:a\r\nX-Two: \t b \t c \t \r\nX-Three:\r\nX-Four: \r\n", "relay"),
  kept("a tab in a value", "X-One: a\tb\r\n"),
  kept("colons, quotes and commas in a value", 'X-One: :a:"b, c";;\r\n'),
  kept("every character of a name", "!#$%&'*+-.^_`|~09Az: 1\r\n"),
  kept(
    "what isn't the proxy's to say, and looks like it",
    "X-Forwarded: for=6.6.6.6\r\nTrue-Client-IP: 6.6.6.6\r\nX-Client-IP: 6.6.6.6\r\nX-Cluster-Client-IP: 6.6.6.6\r\n",
  ),
  kept("authorization and cookies", "Authorization: Basic YTpi\r\nCookie: a=1; b=2\r\nCookie: c=3\r\n"),
  dropped("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"),
  dropped("Connection: X-Secret, x-other\r\nX-Secret: 1\r\nX-OTHER: 2\r\n"),
  dropped("X-Secret: 1\r\nConnection: keep-alive\r\nConnection: ,, X-Secret ,\r\n"),
  dropped("TE: trailers\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic YTpi\r\n"),
  dropped("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
  dropped("Upgrade: websocket\r\n"),
  dropped("X-Forwarded-For: 6.6.6.6\r\nx-forwarded-proto: http\r\nX-FORWARDED-HOST: evil\r\nX-Forwarded-Port: 1\r\n"),
  dropped("X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Host: evil\r\nX-Forwarded-Prefix: /\r\nX-Forwarded-Server: e\r\n"),
  dropped("Forwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\n"),
  dropped("Proxy: http://6.6.6.6:1/\r\nPROXY: http://6.6.6.6:2/\r\n"),
  dropped("Client-Cert: :AA==:\r\nClient-Cert-Chain: :AA==:\r\nclient_cert: :AA==:\r\n"),
  dropped("X-Client-Cert: a\r\nX-Client-Cert-Subject: b\r\nX_CLIENT_CERT_SAN: c\r\n"),
  dropped("X-SSL-Client: 1\r\nX-SSL-Client-Verify: SUCCESS\r\nX_SSL_Client_CN: admin\r\nSSL-Client-Cert: d\r\n"),
  dropped("Connection: X-Forwarded-For, Forwarded\r\nX-Forwarded-For: 6.6.6.6\r\n"),
  {
    name: "HTTP/1.0 becomes HTTP/1.1",
    bytes: "GET /old HTTP/1.0\r\nHost: app\r\nX-One: 1\r\n\r\n",
    head: { line: "GET /old HTTP/1.1", lines: `${HOST}X-One: 1\r\n` },
  },
  {
    name: "HTTP/1.0 without Host gets the default's",
    bytes: "GET /old HTTP/1.0\r\nX-One: 1\r\n\r\n",
    head: { line: "GET /old HTTP/1.1", lines: "Host: app.internal\r\nX-One: 1\r\n", host: "" },
  },
  {
    name: "HTTP/1.0 expects nothing",
    bytes: `POST /p HTTP/1.0\r\n${HOST}Expect: 100-continue\r\n${LENGTH_5}\r\nhello`,
    head: { ...POST, lines: HOST + LENGTH_5 },
    body: "hello",
  },
];

const WEBSOCKET = "Upgrade: websocket\r\n";
const UPGRADES: PassedRequest[] = [
  {
    name: "a matching pair for WebSocket",
    bytes: get(`Connection: keep-alive, upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n`),
    head: { ...GET, lines: `${HOST}Sec-WebSocket-Version: 13\r\n`, upgrade: "WebSocket" },
    only: "relay",
  },
  {
    name: "a pair with POST is ignored",
    bytes: post(`Connection: Upgrade\r\n${WEBSOCKET}`, ""),
    head: POST,
  },
  {
    name: "a pair with a body is ignored",
    bytes: post(`Connection: Upgrade\r\n${WEBSOCKET}${LENGTH_5}`, "hello"),
    head: { ...POST, lines: HOST + LENGTH_5 },
    body: "hello",
  },
  {
    name: "a pair in HTTP/1.0 is ignored",
    bytes: `GET / HTTP/1.0\r\n${HOST}Connection: Upgrade\r\n${WEBSOCKET}\r\n`,
    head: GET,
  },
  dropped("Connection: Upgrade\r\n"),
  dropped("Connection: Upgrade\r\nUpgrade: websocket/13\r\n"),
  dropped("Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n"),
];

const AT_A_LIMIT: PassedRequest[] = [
  { ...untouched("GET", `/${"a".repeat(16 * 1024 - 1)}`), name: "a target of 16 KiB" },
  kept("100 fields", "X-One: 1\r\n".repeat(99)),
  kept("a head of nearly 32 KiB", `X-One: ${"a".repeat(32_000)}\r\n`),
  kept("a name of 1 KiB", `${"X".repeat(1024)}: 1\r\n`),
];

const BODIES: PassedRequest[] = [
  {
    name: "a body by its length",
    bytes: post(LENGTH_5, "he\0\r\n"),
    head: { ...POST, lines: HOST + LENGTH_5 },
    body: "he\0\r\n",
  },
  {
    name: "a length of 0",
    bytes: post("Content-Length: 0\r\n", ""),
    head: { ...POST, lines: `${HOST}Content-Length: 0\r\n` },
  },
  {
    name: "a length with leading zeros",
    bytes: post("Content-Length: 005\r\n", "hello"),
    head: { ...POST, lines: `${HOST}Content-Length: 005\r\n` },
    body: "hello",
  },
  {
    name: "Expect: 100-continue",
    bytes: post(`Expect: 100-continue\r\n${LENGTH_5}`, "hello"),
    head: { ...POST, lines: `${HOST}Expect: 100-continue\r\n${LENGTH_5}` },
    body: "hello",
  },
  {
    name: "bytes beyond ASCII before a body",
    bytes: post(`X-Text: caf\xe9 \xff\r\n${LENGTH_5}`, "h\xe9llo"),
    head: { ...POST, lines: `${HOST}X-Text: caf\xe9 \xff\r\n${LENGTH_5}` },
    body: "h\xe9llo",
  },
  { name: "no body", bytes: post("", ""), head: POST },
  { name: "an empty body in chunks", bytes: chunks("0\r\n\r\n"), head: CHUNKED },
  { name: "chunks", bytes: chunks("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), head: CHUNKED, body: "hello world" },
  {
    name: "chunks whose data looks like chunks",
    bytes: chunks("7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"),
    head: CHUNKED,
    body: "0\r\n\r\n\r\n",
  },
  {
    name: "sizes in both cases with leading zeros",
    bytes: chunks("00A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n"),
    head: CHUNKED,
    body: "01234567890123456789",
  },
  {
    name: "a size of 16 digits",
    bytes: chunks("0000000000000005\r\nhello\r\n0\r\n\r\n"),
    head: CHUNKED,
    body: "hello",
  },
  {
    name: "chunk extensions are dropped",
    bytes: chunks('5;a;b=c;d="e;f"\r\nhello\r\n0;last\r\n\r\n'),
    head: CHUNKED,
    body: "hello",
  },
  {
    name: "Chunked in any case",
    bytes: post("transfer-encoding:  ChUnKeD \r\n", "1\r\na\r\n0\r\n\r\n"),
    head: CHUNKED,
    body: "a",
  },
  {
    name: "trailers, and their announcement",
    bytes: post(
      "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n",
      "1\r\na\r\n0\r\nX-Sum: 1\r\nDate: now\r\nX-More:  \xe9 \r\n\r\n",
    ),
    head: { ...CHUNKED, lines: `${HOST}Trailer: X-Sum\r\n` },
    body: "a",
    trailers: "X-Sum: 1\r\nDate: now\r\nX-More:  \xe9 \r\n",
    only: "relay",
  },
  {
    name: "trailers that frame, route or name an origin are dropped",
    bytes: chunks(
      "0\r\nContent-Length: 5\r\nX-One: 1\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nX-Forwarded-For: 6.6.6.6\r\n" +
        "Connection: close\r\nForwarded: for=6\r\nTE: a\r\nUpgrade: b\r\nTrailer: c\r\nContent_Length: 5\r\nX-Two: 2\r\n\r\n",
    ),
    head: CHUNKED,
    trailers: "X-One: 1\r\nX-Two: 2\r\n",
    only: "relay",
  },
];

export const PASSED_REQUESTS: readonly PassedRequest[] = [...LINES, ...FIELDS, ...UPGRADES, ...AT_A_LIMIT, ...BODIES];
