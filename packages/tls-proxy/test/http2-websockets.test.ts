import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { ClientHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import type { AccessEntry } from "../src/access-log/access-line.ts";
import { answerOf, connectH2 } from "./h2-client.ts";
import { startRawApp } from "./raw-app.ts";
import { startProxy } from "./start-proxy.ts";

const run = promisify(execFile);

const HANDSHAKE = {
  ":method": "CONNECT",
  ":protocol": "websocket",
  ":path": "/chat?room=1",
  "sec-websocket-version": "13",
};
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";

/** A masked text frame of less than 126 bytes, or of another kind (RFC 6455 §5.2). */
function frame(text: string, kind = 1): Buffer {
  const mask = Buffer.from([1, 2, 3, 4]);
  const payload = Buffer.from(text).map((octet, index) => octet ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.of(0x80 | kind, 0x80 | payload.length), mask, payload]);
}

async function opened(stream: ClientHttp2Stream): Promise<Record<string, unknown>> {
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  return headers;
}

test("messages go both ways, with protocol, ping and close; the app sees a handshake like any other", async () => {
  const http = createServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  const sockets = new WebSocketServer({ server: http, handleProtocols: () => "chat.v2" });
  const heads: Record<string, unknown>[] = [];
  sockets.on("connection", (socket, { url, headers }) => {
    socket.on("error", () => {});
    heads.push({ url, ...headers });
    socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`));
  });
  await using proxy = await startProxy((http.address() as AddressInfo).port);
  await using client = await connectH2(proxy);

  const stream = client.session.request(
    { ...HANDSHAKE, "sec-websocket-protocol": "chat.v2", "sec-websocket-key": "mine", cookie: "a=1" },
    { endStream: false },
  );
  const headers = await opened(stream);
  expect(headers).toMatchObject({ ":status": 200, "sec-websocket-protocol": "chat.v2" });
  expect(Object.keys(headers)).not.toContain("sec-websocket-accept");
  expect(heads).toMatchObject([
    { url: "/chat?room=1", "x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1", cookie: "a=1" },
  ]);
  expect(heads[0]?.["sec-websocket-key"]).toMatch(/^[A-Za-z0-9+/]{22}==$/);
  expect([proxy.front.open, proxy.front.upgraded]).toEqual([1, 1]);

  let received = "";
  stream.on("data", (bytes: Buffer) => (received += bytes.toString("latin1")));
  stream.write(frame("hello"));
  await vi.waitFor(() => expect(received).toBe("\x81\x0aecho hello"));
  stream.write(frame("there?", 9));
  await vi.waitFor(() => expect(received.endsWith("\x8a\x06there?")).toBe(true));
  stream.write(frame("\x03\xe8", 8).fill(0)); // nonsense: the server closes with 1002
  await once(stream, "end");
  stream.end();
  await vi.waitFor(() => expect([sockets.clients.size, proxy.front.upgraded]).toEqual([0, 0]));
  expect(client.session.closed).toBe(false);
  http.close();
});

test("a client that sends a key of its own, as Node's WebSocket does, gets the answer to it", async () => {
  const http = createServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`)));
  const entries: AccessEntry[] = [];
  const access = { write: (entry: AccessEntry) => void entries.push(entry) };
  await using proxy = await startProxy((http.address() as AddressInfo).port, { access });
  const directory = await mkdtemp(join(tmpdir(), "tls-proxy-websocket-"));
  const ca = join(directory, "ca.pem");
  await writeFile(ca, proxy.ca);
  const program = `
    const socket = new WebSocket("wss://localhost:${proxy.port}/chat");
    socket.onopen = () => socket.send("hello");
    socket.onmessage = ({ data }) => (console.log(data), socket.close(1000));
    socket.onclose = ({ code }) => (console.log(code), clearInterval(alive));
    const alive = setInterval(() => {}, 1_000); // over HTTP/2 it doesn't keep its process`;
  const { stdout } = await run(process.execPath, ["-e", program], { env: { NODE_EXTRA_CA_CERTS: ca } });
  expect(stdout).toBe("echo hello\n1000\n");
  await vi.waitFor(() => expect(entries).toHaveLength(1));
  // Frames of 2 bytes, 4 of a mask, and hello or the status of a close.
  expect(entries[0]).toMatchObject({ protocol: "HTTP/2.0", status: 200, bytesReceived: 2 + 4 + 5 + (2 + 4 + 2) });
  await rm(directory, { recursive: true });
  http.close();
});

test("whoever leaves, client or app, takes the other along; the connection goes on", async () => {
  const http = createServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  const sockets = new WebSocketServer({ server: http });
  await using proxy = await startProxy((http.address() as AddressInfo).port);
  await using client = await connectH2(proxy);
  for (const end of ["client resets", "client ends", "app"]) {
    const stream = client.session.request(HANDSHAKE, { endStream: false });
    stream.on("error", () => {}).resume();
    await opened(stream);
    await vi.waitFor(() => expect(sockets.clients.size).toBe(1));
    if (end === "client resets") stream.close(8);
    else if (end === "client ends") stream.end();
    else for (const one of sockets.clients) one.terminate();
    await vi.waitFor(() => expect([sockets.clients.size, stream.destroyed]).toEqual([0, true]));
  }
  expect(client.session.closed).toBe(false);
  http.close();
});

test("an app that refuses is heard; one whose answer isn't a WebSocket's is a failure", async () => {
  await using app = await startRawApp((socket, received) => {
    if (received.includes("/login")) socket.end("HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\nlogin");
    else if (received.includes("/page")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage");
    else if (received.includes("/other")) socket.write(`${SWITCH.replace("websocket", "foo")}\r\n`);
    else socket.write(`${SWITCH}Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n`);
  });
  await using proxy = await startProxy(app.port);
  await using client = await connectH2(proxy);
  const answerTo = (path: string) =>
    answerOf(client.session.request({ ...HANDSHAKE, ":path": path }, { endStream: false }));
  expect(await answerTo("/login")).toMatchObject({ status: 401, body: "login" });
  expect((await answerTo("/page")).status).toBe(502);
  expect((await answerTo("/other")).status).toBe(502);
  expect((await answerTo("/wrong")).status).toBe(502);
  await vi.waitFor(() => expect(app.open.size).toBe(0));
  expect(proxy.front.upgraded).toBe(0);
});

test("two of them and a request share one connection", async () => {
  const http = createServer((_request, response) => void response.end("page")).listen(0, "127.0.0.1");
  await once(http, "listening");
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(data.toString())));
  await using proxy = await startProxy((http.address() as AddressInfo).port);
  await using client = await connectH2(proxy);
  const { session } = client;
  const streams = ["one", "two"].map((text) => ({ text, stream: session.request(HANDSHAKE, { endStream: false }) }));
  await Promise.all(streams.map(({ stream }) => opened(stream)));
  for (const { text, stream } of streams) {
    stream.write(frame(text));
    const [bytes] = (await once(stream, "data")) as [Buffer];
    expect(bytes.toString("latin1")).toBe(`\x81\x03${text}`);
  }
  expect((await answerOf(session.request({}))).body).toBe("page");
  http.close();
});
