import type { EngineName } from "../start-proxy.ts";

/** A request that must be refused with a status, and its connection closed, before the app sees an octet of it. */
export interface RefusedRequest {
  readonly name: string;
  readonly bytes: string;
  /** 400 unless said. */
  readonly status?: number;
  /** The status of the engine that reads with Node's parser, or false where its documented limits let it pass. */
  readonly httpProxy?: number | false;
}

/** The status with an engine; nothing where the row doesn't hold for it. */
export function statusWith({ status = 400, httpProxy = status }: RefusedRequest, engine: EngineName) {
  if (engine === "relay") return status;
  return httpProxy === false ? undefined : httpProxy;
}

const get = (fields: string) => `GET / HTTP/1.1\r\nHost: app\r\n${fields}\r\n`;
const post = (fields: string, body = "") => `POST / HTTP/1.1\r\nHost: app\r\n${fields}\r\n${body}`;
const line = (first: string) => `${first}\r\nHost: app\r\n\r\n`;
const LAST = "0\r\n\r\n";

const REQUEST_LINES: RefusedRequest[] = [
  { name: "a method with a parenthesis", bytes: line("G(T / HTTP/1.1") },
  { name: "a method with a control character", bytes: line("G\x01T / HTTP/1.1") },
  { name: "a method with a byte beyond ASCII", bytes: line("G\xc9T / HTTP/1.1") },
  { name: "no method", bytes: line(" / HTTP/1.1") },
  { name: "a space before the method", bytes: line(" GET / HTTP/1.1") },
  { name: "a tab behind the method", bytes: line("GET\t/ HTTP/1.1") },
  { name: "two spaces behind the method", bytes: line("GET  / HTTP/1.1"), httpProxy: false },
  { name: "two spaces behind the target", bytes: line("GET /  HTTP/1.1"), httpProxy: false },
  { name: "a tab behind the target", bytes: line("GET /\tHTTP/1.1"), httpProxy: false },
  { name: "a space in the target", bytes: line("GET /a b HTTP/1.1") },
  { name: "a control character in the target", bytes: line("GET /a\x01b HTTP/1.1") },
  { name: "DEL in the target", bytes: line("GET /a\x7fb HTTP/1.1") },
  { name: "a NUL in the target", bytes: line("GET /a\0b HTTP/1.1") },
  { name: "a byte beyond ASCII in the target", bytes: line("GET /caf\xe9 HTTP/1.1") },
  { name: "a fragment in the target", bytes: line("GET /a#b HTTP/1.1") },
  { name: "a target without a slash", bytes: line("GET index.html HTTP/1.1") },
  { name: "a target that is an authority", bytes: line("GET app:80 HTTP/1.1") },
  { name: "* with GET", bytes: line("GET * HTTP/1.1") },
  { name: "a scheme other than http", bytes: line("GET ftp://app/ HTTP/1.1") },
  { name: "a user in an absolute target", bytes: line("GET http://user@app/ HTTP/1.1") },
  { name: "a user and a password in an absolute target", bytes: line("GET http://user:secret@app/ HTTP/1.1") },
  { name: "no host in an absolute target", bytes: line("GET http:///path HTTP/1.1") },
  { name: "no target", bytes: line("GET HTTP/1.1") },
  { name: "HTTP/0.9 without a version", bytes: "GET /\r\n\r\n", httpProxy: 505 },
  { name: "a version in lower case", bytes: line("GET / http/1.1") },
  { name: "another protocol's name", bytes: line("GET / HTTQ/1.1") },
  { name: "a version of two digits", bytes: line("GET / HTTP/1.10") },
  { name: "a version with a leading zero", bytes: line("GET / HTTP/01.1") },
  { name: "a version without a point", bytes: line("GET / HTTP/11") },
  { name: "a version without a minor number", bytes: line("GET / HTTP/1") },
  { name: "a space in the version", bytes: line("GET / HTTP/ 1.1") },
  { name: "a space behind the version", bytes: line("GET / HTTP/1.1 ") },
  { name: "a word behind the version", bytes: line("GET / HTTP/1.1 HTTP/1.1") },
  { name: "HTTP/0.9", bytes: line("GET / HTTP/0.9"), status: 505 },
  { name: "HTTP/1.2", bytes: line("GET / HTTP/1.2"), status: 505, httpProxy: 400 },
  { name: "HTTP/1.9", bytes: line("GET / HTTP/1.9"), status: 505, httpProxy: 400 },
  { name: "HTTP/2.0", bytes: line("GET / HTTP/2.0"), status: 505 },
  { name: "HTTP/3.0", bytes: line("GET / HTTP/3.0"), status: 505, httpProxy: 400 },
  { name: "the preface of HTTP/2", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505, httpProxy: 400 },
  { name: "a TLS handshake", bytes: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" },
  { name: "CONNECT to a host", bytes: line("CONNECT app:80 HTTP/1.1"), status: 501 },
  { name: "CONNECT to a path", bytes: line("CONNECT / HTTP/1.1"), status: 501 },
  { name: "TRACE", bytes: line("TRACE / HTTP/1.1"), status: 501 },
  { name: "a target of 16 KiB and an octet", bytes: line(`GET /${"a".repeat(16 * 1024)} HTTP/1.1`), status: 414 },
];

const FIELD_LINES: RefusedRequest[] = [
  { name: "bare LF as line ends", bytes: "GET / HTTP/1.1\nHost: app\n\n" },
  { name: "bare LF behind the request line", bytes: "GET / HTTP/1.1\nHost: app\r\n\r\n" },
  { name: "bare LF behind a field", bytes: "GET / HTTP/1.1\r\nHost: app\nX-One: 1\r\n\r\n" },
  { name: "bare LF as the head's end", bytes: "GET / HTTP/1.1\r\nHost: app\r\n\n" },
  { name: "bare CR as line ends", bytes: "GET / HTTP/1.1\rHost: app\r\r" },
  { name: "bare CR in the request line", bytes: line("GET /\r HTTP/1.1") },
  { name: "bare CR in a value", bytes: get("X-One: a\rb\r\n") },
  { name: "bare CR in a name", bytes: get("X-\rOne: a\r\n") },
  { name: "CR CR LF", bytes: get("X-One: a\r\r\n") },
  { name: "a NUL in a value", bytes: get("X-One: a\0b\r\n") },
  { name: "a NUL in a name", bytes: get("X-\0One: a\r\n") },
  { name: "a control character in a value", bytes: get("X-One: a\x01b\r\n") },
  { name: "DEL in a value", bytes: get("X-One: a\x7fb\r\n") },
  { name: "a vertical tab before a value", bytes: get("X-One:\x0ba\r\n") },
  { name: "a form feed behind a value", bytes: get("X-One: a\x0c\r\n") },
  { name: "a folded value", bytes: get("X-One: a\r\n b\r\n") },
  { name: "a value folded with a tab", bytes: get("X-One: a\r\n\tb\r\n") },
  { name: "a line of white space", bytes: get(" \r\nX-One: a\r\n") },
  { name: "CR at the start of a line", bytes: get("X-One: a\r\n\rX-Two: b\r\n") },
  { name: "a space before the first field", bytes: "GET / HTTP/1.1\r\n Host: app\r\n\r\n" },
  { name: "a space before the colon", bytes: get("X-One : a\r\n") },
  { name: "a tab before the colon", bytes: get("X-One\t: a\r\n") },
  { name: "a space in a name", bytes: get("X One: a\r\n") },
  { name: "a byte beyond ASCII in a name", bytes: get("X-\xd6ne: a\r\n") },
  { name: "a parenthesis in a name", bytes: get("X(One): a\r\n") },
  { name: "a quote in a name", bytes: get('X"One: a\r\n') },
  { name: "an empty name", bytes: get(": a\r\n") },
  { name: "a line without a colon", bytes: get("X-One\r\n") },
  { name: "two empty lines before the request", bytes: `\r\n\r\n${get("")}`, httpProxy: false },
  { name: "an empty line of LF alone before the request", bytes: `\n${get("")}`, httpProxy: false },
  { name: "101 fields", bytes: get("X-One: 1\r\n".repeat(100)), status: 431 },
  { name: "a head of 32 KiB and more", bytes: get(`X-One: ${"a".repeat(32 * 1024)}\r\n`), status: 431 },
];

const HOSTS: RefusedRequest[] = [
  { name: "no Host", bytes: "GET / HTTP/1.1\r\n\r\n" },
  { name: "an empty Host", bytes: "GET / HTTP/1.1\r\nHost:\r\n\r\n" },
  { name: "a Host of white space", bytes: "GET / HTTP/1.1\r\nHost: \t \r\n\r\n" },
  { name: "two Hosts", bytes: get("Host: other\r\n") },
  { name: "the same Host twice", bytes: get("host: app\r\n") },
  { name: "two Hosts in HTTP/1.0", bytes: "GET / HTTP/1.0\r\nHost: app\r\nHost: other\r\n\r\n" },
  { name: "a list as Host", bytes: "GET / HTTP/1.1\r\nHost: app, other\r\n\r\n" },
  { name: "a list as Host, without a space", bytes: "GET / HTTP/1.1\r\nHost: app,other\r\n\r\n" },
  { name: "a path in Host", bytes: "GET / HTTP/1.1\r\nHost: app/path\r\n\r\n" },
  { name: "a user in Host", bytes: "GET / HTTP/1.1\r\nHost: user@app\r\n\r\n" },
  { name: "a port that isn't a number", bytes: "GET / HTTP/1.1\r\nHost: app:http\r\n\r\n" },
  { name: "a quote in Host", bytes: 'GET / HTTP/1.1\r\nHost: a";for=192.0.2.6\r\n\r\n' },
  { name: "an absolute target whose port isn't a number", bytes: line("GET http://app:http/ HTTP/1.1") },
  { name: "no Host beside an absolute target", bytes: "GET http://app/ HTTP/1.1\r\n\r\n" },
  { name: "Host listed in Connection", bytes: get("Connection: host\r\n") },
  { name: "Host listed in a second Connection", bytes: get("Connection: close\r\nConnection: a, HOST ,b\r\n") },
  {
    name: "a length listed in Connection with an underscore",
    bytes: post("Content-Length: 5\r\nConnection: content_length\r\n", "hello"),
  },
];

const FRAMING: RefusedRequest[] = [
  { name: "a length and chunks", bytes: post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", LAST) },
  { name: "chunks and a length", bytes: post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", LAST) },
  { name: "chunks and a length of 0", bytes: post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", LAST) },
  { name: "two lengths", bytes: post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello") },
  { name: "the same length twice", bytes: post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello") },
  { name: "a list of lengths", bytes: post("Content-Length: 5, 5\r\n", "hello") },
  { name: "an empty length", bytes: post("Content-Length:\r\n") },
  { name: "a signed length", bytes: post("Content-Length: +5\r\n", "hello") },
  { name: "a negative length", bytes: post("Content-Length: -5\r\n", "hello") },
  { name: "a hexadecimal length", bytes: post("Content-Length: 0x5\r\n", "hello") },
  { name: "a length with a point", bytes: post("Content-Length: 5.0\r\n", "hello") },
  { name: "a length with an underscore", bytes: post("Content-Length: 1_0\r\n", "hello") },
  { name: "a length with a space inside", bytes: post("Content-Length: 1 0\r\n", "hello") },
  { name: "a length of 2^53", bytes: post("Content-Length: 9007199254740992\r\n", "hello") },
  { name: "a length beyond 2^64", bytes: post("Content-Length: 18446744073709551621\r\n", "hello") },
  { name: "a length disguised by an underscore", bytes: post("Content_Length: 5\r\n", "hello") },
  { name: "chunks disguised by an underscore", bytes: post("Transfer_Encoding: chunked\r\n", LAST) },
  { name: "another transfer coding", bytes: post("Transfer-Encoding: gzip\r\n", LAST) },
  { name: "identity as transfer coding", bytes: post("Transfer-Encoding: identity\r\n", LAST) },
  { name: "gzip before chunked", bytes: post("Transfer-Encoding: gzip, chunked\r\n", LAST) },
  { name: "gzip behind chunked", bytes: post("Transfer-Encoding: chunked, gzip\r\n", LAST) },
  { name: "chunked twice", bytes: post("Transfer-Encoding: chunked, chunked\r\n", LAST) },
  { name: "chunked in two fields", bytes: post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", LAST) },
  { name: "chunked with a parameter", bytes: post("Transfer-Encoding: chunked;q=1\r\n", LAST) },
  { name: "chunked in quotes", bytes: post('Transfer-Encoding: "chunked"\r\n', LAST) },
  { name: "an empty transfer coding", bytes: post("Transfer-Encoding:\r\n", LAST) },
  { name: "chunked with a comma", bytes: post("Transfer-Encoding: ,chunked\r\n", LAST) },
  { name: "xchunked", bytes: post("Transfer-Encoding: xchunked\r\n", LAST) },
  {
    name: "chunks in HTTP/1.0",
    bytes: `POST / HTTP/1.0\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n${LAST}`,
  },
  {
    name: "a length listed in Connection",
    bytes: post("Content-Length: 5\r\nConnection: content-length\r\n", "hello"),
  },
  {
    name: "chunks listed in Connection",
    bytes: post("Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n", LAST),
  },
  {
    name: "two Upgrade fields",
    bytes: get("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n"),
    httpProxy: false,
  },
  { name: "an expectation that nobody knows", bytes: post("Expect: 200-ok\r\n"), status: 417 },
  { name: "100-continue among others", bytes: post("Expect: 100-continue, x\r\n"), status: 417 },
];

export const REFUSED_REQUESTS: readonly RefusedRequest[] = [...REQUEST_LINES, ...FIELD_LINES, ...HOSTS, ...FRAMING];
