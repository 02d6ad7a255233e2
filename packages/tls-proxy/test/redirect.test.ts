import { once } from "node:events";
import { createServer } from "node:http";
import { type Socket, connect } from "node:net";
import { type Address, listen } from "@pillion/kit";
import { expect, onTestFinished, test, vi } from "vitest";
import { Redirect, type RedirectOptions } from "../src/redirect/redirect.ts";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { plainExchange } from "./stock-proxy.ts";

const get = (target: string, host = "app.test") =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

async function start(options: Partial<RedirectOptions> & { app?: Address } = {}) {
  const told: string[] = [];
  const redirect = new Redirect({
    app: { host: "127.0.0.1", port: 1 },
    port: undefined,
    listenPort: 8443,
    observer: {
      away: () => told.push("away"),
      failed: () => told.push("failed"),
      reached: () => told.push("reached"),
      plain: (outcome) => told.push(outcome),
    },
    ...options,
  });
  const address = await listen(redirect.server, { host: "127.0.0.1", port: 0 }, "--redirect-listen");
  onTestFinished(async () => void (redirect.server.listening && (await redirect.drain(AbortSignal.abort()))));
  return { redirect, told, port: "port" in address ? address.port : 0 };
}

async function plainClient(port: number, bytes: string): Promise<{ socket: Socket; closed: Promise<string> }> {
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  let text = "";
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  socket.on("data", (more) => (text += more.toString("latin1"))).on("close", () => resolve(text));
  await once(socket, "connect");
  socket.write(bytes, "latin1");
  return { socket, closed };
}

test.each([
  ["/", "app.test", "https://app.test/"],
  [
    "/a%2Fb/../c//d?x=1&y=%0d%0a&z=http://evil.test/",
    "app.test",
    "https://app.test/a%2Fb/../c//d?x=1&y=%0d%0a&z=http://evil.test/",
  ],
  ["//evil.test/", "app.test", "https://app.test//evil.test/"],
  ["/\\evil.test", "app.test", "https://app.test/\\evil.test"],
  ["/x", "App.Test:80", "https://App.Test/x"],
  ["/x", "app.test:8080", "https://app.test:8443/x"],
  ["/x", "[::1]:8080", "https://[::1]:8443/x"],
  ["http://other.test:80/x?y", "app.test", "https://other.test/x?y"],
  ["http://other.test?y", "app.test", "https://other.test/?y"],
])("%s on %s goes to %s", async (target, host, location) => {
  const { port, told } = await start();
  const answer = await plainExchange(port, get(target, host));
  expect(answer).toMatch(/^HTTP\/1\.1 308 Permanent Redirect\r\n/);
  expect(answer.split("\r\n")).toContain(`Location: ${location}`);
  expect(answer).toMatch(/\r\nCache-Control: no-store\r\n[^]*\r\n\r\n$/);
  expect(told).toEqual(["redirected"]);
});

test("a port that was told is always the one, and 443 is not written", async () => {
  const told = await start({ port: 9443 });
  for (const host of ["app.test", "app.test:9080"]) {
    expect(await plainExchange(told.port, get("/", host))).toContain("Location: https://app.test:9443/\r\n");
  }
  const standard = await start({ port: 443 });
  expect(await plainExchange(standard.port, get("/", "app.test:9080"))).toContain("Location: https://app.test/\r\n");
  const onSocket = await start({ listenPort: undefined });
  expect(await plainExchange(onSocket.port, get("/", "app.test:9080"))).toContain("Location: https://app.test/\r\n");
});

test.each(["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])("%s keeps its method, so it is 308 as well", async (method) => {
  const { port } = await start();
  const answer = await plainExchange(
    port,
    `${method} /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello${get("/next")}`,
  );
  expect(answer.match(/HTTP\/1\.1 308/g)).toHaveLength(2);
  expect(answer).toMatch(/https:\/\/app\.test\/x\r\n[^]*https:\/\/app\.test\/next\r\n/);
});

test("a client that asks before it uploads is answered at once, and its connection closed", async () => {
  const { port } = await start();
  const head = "POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n";
  const answer = await plainExchange(port, head);
  expect(answer).toMatch(/^HTTP\/1\.1 308 [^]*\r\nConnection: close\r\n/);
});

test("a WebSocket handshake is redirected as all is, and its connection ends", async () => {
  const { port, told } = await start();
  const upgrade = get("/chat").replace("close", "Upgrade\r\nUpgrade: websocket");
  const answer = await plainExchange(port, upgrade);
  expect(answer).toMatch(/^HTTP\/1\.1 308 [^]*\r\nLocation: https:\/\/app\.test\/chat\r\n/);
  expect(answer).toContain("\r\nConnection: close\r\n"); // a request behind it has to be sent again
  expect(told).toEqual(["redirected"]);
});

const tunnel = "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n";

test("CONNECT is no way through: 501, and the connection ends", async () => {
  const { port, told } = await start();
  const client = await plainClient(port, `${tunnel}\x16\x03\x01`);
  expect(await client.closed).toMatch(/^HTTP\/1\.1 501 [^]*\r\nConnection: close\r\n[^]*CONNECT is not served/);
  expect(told).toEqual(["refused"]);
});

test("CONNECT behind a challenge under way is answered after it, behind redirects as well", async () => {
  await using app = await startRawApp(() => {});
  const { port, told } = await start({ app: { host: "127.0.0.1", port: app.port } });
  const kept = (request: string) => request.replace("Connection: close\r\n", "");
  const client = await plainClient(port, `${kept(get("/"))}${kept(get(challenge))}${tunnel}`);
  await vi.waitFor(() => expect(told).toEqual(["redirected", "challenge", "refused"]));
  await vi.waitFor(() => expect(app.open.size).toBe(1));
  for (const socket of app.open) socket.write(OK);
  expect((await client.closed).match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 308", "HTTP/1.1 200", "HTTP/1.1 501"]);
});

test("drain: who was refused a tunnel and keeps its half open is not waited for", async () => {
  const { redirect, port } = await start();
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {});
  onTestFinished(() => void socket.destroy());
  socket.write(tunnel);
  await once(socket.resume(), "end");
  const started = performance.now();
  expect(await redirect.drain(new AbortController().signal)).toEqual([]);
  expect(performance.now() - started).toBeLessThan(2_000);
});

test.each([
  ["no Host", "GET / HTTP/1.1\r\n\r\n"],
  ["no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"],
  ["an empty Host", get("/", "")],
  ["two Hosts", get("/", "app.test\r\nHost: evil.test")],
  ["a path in Host", get("/", "evil.test/")],
  ["user information in Host", get("/", "app.test@evil.test")],
  ["a port that is none", get("/", "app.test:99999")],
  ["a quote in Host", get("/", 'app.test"')],
  ["a bare carriage return in Host", get("/", "app.test\rX: y")],
  ["a byte beyond ASCII in Host", get("/", "\xe9.test")],
  ["user information in the target", get("http://app.test@evil.test/")],
  ["a backslash in the target's host", get("http://app.test\\evil.test/")],
  ["a target that is no path", get("evil.test")],
  ["no target but the server", get("*").replace("GET", "OPTIONS")],
  ["a byte beyond ASCII in the target", get("/\xe9")],
  ["two framings", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["no HTTP", "\x16\x03\x01\x02\x00\x01"],
])("refused with 400 and without a Location: %s", async (_name, bytes) => {
  const { port, told } = await start();
  const answer = await plainExchange(port, bytes);
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(answer).not.toMatch(/Location|evil\.test/i);
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(told).toEqual(["refused"]);
});

test.each([
  [501, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"],
  [414, get(`/${"x".repeat(17 << 10)}`)],
  [431, get("/", `a\r\nX: ${"x".repeat(33 << 10)}`)],
  [431, get("/", `a\r\n${"X: y\r\n".repeat(101)}X: y`)],
])("refused with %s", async (status, bytes) => {
  const { port } = await start();
  expect(await plainExchange(port, bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test("a head that trickles in is cut off with 408, more connections than the limit at once", async () => {
  const limits = { headersTimeout: 200, connectionsCheckingInterval: 50, maxConnections: 1 };
  const { port } = await start({ limits });
  const slow = await plainClient(port, "GET / HTTP/1.1\r\nHo");
  const surplus = await plainClient(port, get("/"));
  expect(await surplus.closed).toBe("");
  expect(await slow.closed).toMatch(/^HTTP\/1\.1 408 /);
});

const challenge = "/.well-known/acme-challenge/LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";

test("an ACME challenge reaches the app, with nothing of the client's fields but Host and User-Agent", async () => {
  const answer =
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nStrict-Transport-Security: max-age=1\r\nX-App: 1\r\nConnection: X-App\r\n\r\nkey";
  await using app = await startRawApp(answering(answer));
  const { port, told } = await start({ app: { host: "127.0.0.1", port: app.port } });
  const fields = "X-Forwarded-Proto: https\r\nCookie: a=1\r\nUser-Agent: LE\r\nConnection: close";
  const received = await plainExchange(port, get(challenge, `app.test:80\r\n${fields}`));
  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Length: 3\r\n[^]*\r\n\r\nkey$/);
  expect(received).not.toMatch(/Strict-Transport|X-App/i);
  expect(app.received).toEqual([
    `GET ${challenge} HTTP/1.1\r\nHost: app.test:80\r\nUser-Agent: LE\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n`,
  ]);
  expect(told).toEqual(["challenge", "reached"]);
});

test("an ACME challenge reaches an app on a unix socket, by HEAD too", async () => {
  const path = `/tmp/tls-proxy-acme-${process.pid}.sock`;
  const app = createServer((request, response) => response.end(`${request.method} ${request.url}`)).listen(path);
  await once(app, "listening");
  onTestFinished(() => void app.close());
  const { port } = await start({ app: { path } });
  expect(await plainExchange(port, get(challenge))).toMatch(new RegExp(`^HTTP/1.1 200 OK\r\n[^]*GET ${challenge}`));
  expect(await plainExchange(port, get(challenge).replace("GET", "HEAD"))).toMatch(
    /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/,
  );
});

test.each([
  ["a query", get(`${challenge}?x`)],
  ["a path that goes on", get(`${challenge}/../../admin`)],
  ["dots", get("/.well-known/acme-challenge/..")],
  ["percent-encoding", get("/.well-known/acme-challenge/%2e%2e")],
  ["no token", get("/.well-known/acme-challenge/")],
  ["another method", get(challenge).replace("GET", "POST")],
  ["a body", get(challenge, "app.test\r\nContent-Length: 2").concat("hi")],
  ["a chunked body", get(challenge, "app.test\r\nTransfer-Encoding: chunked").concat("0\r\n\r\n")],
])("with %s it is no challenge: redirected", async (_name, bytes) => {
  await using app = await startRawApp(answering(OK));
  const { port } = await start({ app: { host: "127.0.0.1", port: app.port } });
  expect(await plainExchange(port, bytes)).toMatch(/^HTTP\/1\.1 308 /);
  expect(app.received).toEqual([]);
});

test("a challenge to an app that isn't there, or doesn't speak HTTP: 503 and 502", async () => {
  const away = await start();
  expect(await plainExchange(away.port, get(challenge))).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After/);
  expect(away.told).toEqual(["challenge", "away"]);
  for (const bytes of [
    "SSH-2.0-x\r\n",
    "HTTP/1.1 042 Odd\r\n\r\n",
    "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
  ]) {
    await using app = await startRawApp((socket) => void socket.end(bytes));
    const { port, told } = await start({ app: { host: "127.0.0.1", port: app.port } });
    expect(await plainExchange(port, get(challenge))).toMatch(/^HTTP\/1\.1 502 /);
    expect(told).toEqual(["challenge", "failed"]);
  }
});

test("an app that doesn't answer a challenge: 502 after a while, and it is left alone", async () => {
  await using app = await startRawApp(() => {});
  const { port, told } = await start({ app: { host: "127.0.0.1", port: app.port }, limits: { challengeTimeout: 100 } });
  expect(await plainExchange(port, get(challenge))).toMatch(/^HTTP\/1\.1 502 /);
  expect(told).toEqual(["challenge", "failed"]);
  await vi.waitFor(() => expect(app.open.size).toBe(0));
});

test("an app that breaks off within its answer to a challenge: the truncation shows", async () => {
  await using app = await startRawApp((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    socket.end();
  });
  const { port } = await start({ app: { host: "127.0.0.1", port: app.port } });
  expect(await plainExchange(port, get(challenge))).toMatch(/\r\n\r\npart$/);
});

test("drain: idle and half-begun connections close, a challenge under way is answered, no new ones are taken", async () => {
  await using app = await startRawApp(() => {});
  const { redirect, port } = await start({ app: { host: "127.0.0.1", port: app.port } });
  const idle = await plainClient(port, get("/").replace("Connection: close\r\n", ""));
  await once(idle.socket, "data");
  const begun = await plainClient(port, "GET / HT");
  const busy = await plainClient(port, get(challenge));
  await vi.waitFor(() => expect(app.open.size).toBe(1));
  const drained = redirect.drain(new AbortController().signal);
  expect(await idle.closed).toMatch(/308/);
  await expect(plainClient(port, get("/"))).rejects.toThrow(/ECONNREFUSED/);
  for (const socket of app.open) socket.write(OK);
  expect(await busy.closed).toMatch(/200 OK[^]*ok$/);
  expect(await begun.closed).toBe("");
  expect(await drained).toEqual([]);
});

test("drain: what is left at the deadline is cut off, and told of without its query", async () => {
  await using app = await startRawApp(() => {});
  const { redirect, port } = await start({ app: { host: "127.0.0.1", port: app.port } });
  const busy = await plainClient(port, get(challenge));
  await vi.waitFor(() => expect(app.open.size).toBe(1));
  const deadline = new AbortController();
  const drained = redirect.drain(deadline.signal);
  deadline.abort();
  expect(await drained).toEqual([`GET ${challenge} (plain)`]);
  expect(await busy.closed).toBe("");
  await vi.waitFor(() => expect(app.open.size).toBe(0));
});
