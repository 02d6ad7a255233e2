import { execFile } from "node:child_process";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { readProxyHeader } from "../src/proxy-protocol/read-header.ts";
import { startHaproxy } from "./haproxy.ts";
import { type StartedTcp, connectTls, ending, startTcp, startTcpApp } from "./start-tcp.ts";

const run = promisify(execFile);
const V1 = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";

/** An app that answers with what reached it, once its client has ended. */
const tell = (socket: Socket) => void ending(socket).then(({ text }) => socket.end(text, "latin1"));

/** Sends bytes ahead of TLS; resolves with what the app got. */
async function behindHeader(
  proxy: StartedTcp,
  send: (raw: Socket) => void,
  localAddress = "127.0.0.1",
): Promise<string> {
  const raw = connect({ port: proxy.port, host: "127.0.0.1", localAddress, allowHalfOpen: true, noDelay: true });
  await once(raw, "connect");
  send(raw);
  const client = await connectTls(proxy, { socket: raw });
  client.end("hello");
  return (await ending(client)).text;
}

describe("in, from a load balancer", () => {
  test.each(["relay", "http-proxy"] as const)(
    "in HTTP the app finds the client in X-Forwarded-For: %s",
    async (engine) => {
      const received = Promise.withResolvers<string>();
      await using app = await startTcpApp((socket) => {
        socket.once("data", (bytes: Buffer) => {
          received.resolve(bytes.toString("latin1"));
          socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
      });
      await using proxy = await startTcp(app.port, { mode: "http", engine, proxyProtocolFrom: ["127.0.0.0/8"] });
      const raw = connect({ port: proxy.port, host: "127.0.0.1" });
      raw.write(V1);
      const client = await connectTls(proxy, { socket: raw });
      client.write("GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
      expect((await ending(client)).text).toMatch(/^HTTP\/1.1 200/);
      expect(await received.promise).toMatch(/^X-Forwarded-For: 192\.0\.2\.1\r$/m);
      const stranger = connect({ port: proxy.port, host: "127.0.0.1" });
      stranger.write("GET / HTTP/1.1\r\n");
      expect(await ending(stranger)).toEqual({ how: "ECONNRESET", text: "" });
      expect(await proxy.sidecar.stop()).toBe(true);
    },
  );

  test.each([
    ["v1", "send-proxy"],
    ["v2", "send-proxy-v2"],
    ["v2 with a checksum and a unique id", "send-proxy-v2 proxy-v2-options crc32c,unique-id"],
  ])("HAProxy's %s header names the client", async (_name, sends) => {
    await using app = await startTcpApp(tell);
    await using proxy = await startTcp(app.port, { proxyProtocolFrom: ["127.0.0.1"], sendProxyProtocol: "v1" });
    await using balancer = await startHaproxy(
      (port) =>
        `listen in\n mode tcp\n unique-id-format %pid\n bind 127.0.0.1:${port}\n server tls 127.0.0.1:${proxy.port} ${sends}`,
    );
    const raw = connect({ port: balancer.port, host: "127.0.0.1", localAddress: "127.0.0.9", allowHalfOpen: true });
    const client = await connectTls(proxy, { socket: raw });
    const { localPort } = raw;
    client.end("hello");
    expect((await ending(client)).text).toBe(`PROXY TCP4 127.0.0.9 127.0.0.1 ${localPort} ${balancer.port}\r\nhello`);
  });

  test("curl --haproxy-protocol", async () => {
    await using app = await startTcpApp((socket) => {
      let request = "";
      socket.on("data", (bytes: Buffer) => {
        request += bytes.toString("latin1");
        if (request.endsWith("\r\n\r\n"))
          socket.end(`HTTP/1.0 200 OK\r\nContent-Length: ${request.length}\r\n\r\n${request}`);
      });
    });
    await using proxy = await startTcp(app.port, { proxyProtocolFrom: ["127.0.0.0/8"], sendProxyProtocol: "v1" });
    const url = `https://localhost:${proxy.port}/`;
    const { stdout } = await run("curl", ["-sS", "--ipv4", "--haproxy-protocol", "--cacert", proxy.caPath, url]);
    expect(stdout).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nGET \/ HTTP\/1\.1\r\n/);
  });

  test("a header that comes by itself", async () => {
    await using app = await startTcpApp(tell);
    await using proxy = await startTcp(app.port, { proxyProtocolFrom: ["127.0.0.0/8"], sendProxyProtocol: "v1" });
    expect(await behindHeader(proxy, (raw) => void raw.write(V1))).toBe(`${V1}hello`);
  });

  test("a header in one packet with the handshake", async () => {
    await using app = await startTcpApp(tell);
    await using proxy = await startTcp(app.port, { proxyProtocolFrom: ["127.0.0.0/8"], sendProxyProtocol: "v1" });
    const send = (raw: Socket) => {
      raw.cork();
      raw.write(V1);
      setTimeout(() => raw.uncork(), 50); // by then the ClientHello is queued behind it
    };
    expect(await behindHeader(proxy, send)).toBe(`${V1}hello`);
  });

  test("a header that comes byte by byte", async () => {
    await using app = await startTcpApp(tell);
    await using proxy = await startTcp(app.port, { proxyProtocolFrom: ["127.0.0.0/8"], sendProxyProtocol: "v1" });
    const raw = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    for (const byte of V1) {
      raw.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const client = await connectTls(proxy, { socket: raw });
    client.end("hello");
    expect((await ending(client)).text).toBe(`${V1}hello`);
  });

  test("a health check of the balancer's own (LOCAL) has the balancer's address", async () => {
    await using app = await startTcpApp(tell);
    await using proxy = await startTcp(app.port, { proxyProtocolFrom: ["127.0.0.0/8"], sendProxyProtocol: "v1" });
    const local = Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex");
    expect(await behindHeader(proxy, (raw) => void raw.write(local))).toMatch(
      new RegExp(`^PROXY TCP4 127.0.0.1 127.0.0.1 \\d+ ${proxy.port}\r\nhello$`),
    );
  });

  test("a balancer that sends none, or not one, is cut off before TLS, told of in log and metric", async () => {
    await using app = await startTcpApp(tell);
    await using proxy = await startTcp(app.port, { proxyProtocolFrom: ["127.0.0.0/8"] });
    for (const send of [
      (raw: Socket) => raw.write(Buffer.from([0x16, 0x03, 0x01])),
      (raw: Socket) => raw.write("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"),
      (raw: Socket) => raw.end("PROXY TCP4 192.0.2.1"),
    ]) {
      const raw = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
      send(raw);
      expect(await ending(raw)).toEqual({ how: "ECONNRESET", text: "" });
    }
    await vi.waitFor(async () => expect(await proxy.metric("proxy_headers_refused_total")).toBe(3));
    expect(proxy.sidecar.log).toContainEqual(
      expect.objectContaining({ level: "warn", peer: "127.0.0.1", reason: expect.stringMatching(/doesn't begin/) }),
    );
    expect(app.connections).toHaveLength(0);
  });

  test("nobody else's header is read: it isn't TLS, and without one they are served as themselves", async () => {
    await using app = await startTcpApp(tell);
    await using proxy = await startTcp(app.port, { proxyProtocolFrom: ["127.0.0.9"], sendProxyProtocol: "v1" });
    const stranger = connect({ port: proxy.port, host: "127.0.0.1" });
    stranger.write(V1);
    await ending(stranger);
    expect(app.connections).toHaveLength(0);
    expect(await behindHeader(proxy, () => {})).toMatch(/^PROXY TCP4 127.0.0.1 127.0.0.1 \d+ \d+\r\nhello$/);
    expect(await behindHeader(proxy, (raw) => void raw.write(V1), "127.0.0.9")).toBe(`${V1}hello`);
  });

  test("a stop doesn't wait for headers that never come", async () => {
    await using proxy = await startTcp(1, { proxyProtocolFrom: ["127.0.0.0/8"] });
    const raw = connect({ port: proxy.port, host: "127.0.0.1" });
    raw.write("PROXY ");
    const end = ending(raw);
    await once(raw, "connect");
    expect(await proxy.sidecar.stop()).toBe(true);
    expect((await end).text).toBe("");
  });
});

describe("out, to the app", () => {
  test.each(["v1", "v2"] as const)("HAProxy behind reads %s", async (version) => {
    await using app = await startHaproxy(
      (port) =>
        `frontend app\n mode http\n bind 127.0.0.1:${port} accept-proxy\n http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst] %[fc_pp_authority]\\n"`,
    );
    await using proxy = await startTcp(app.port, { sendProxyProtocol: version });
    const raw = connect({ port: proxy.port, host: "127.0.0.1", localAddress: "127.0.0.7" });
    const client = await connectTls(proxy, { socket: raw });
    const { localPort } = raw;
    client.write("GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
    const authority = version === "v2" ? "localhost" : "";
    expect((await ending(client)).text).toMatch(`\r\n\r\n127.0.0.7:${localPort} 127.0.0.1 ${authority}\n`);
  });

  test("v2 says what TLS found out", async () => {
    await using app = await startTcpApp(tell);
    await using proxy = await startTcp(app.port, { sendProxyProtocol: "v2", alpn: ["postgresql"] });
    const client = await connectTls(proxy, { ALPNProtocols: ["postgresql"] });
    const { localPort } = client;
    client.end("hello");
    const header = Buffer.from((await ending(client)).text, "latin1");
    const reading = readProxyHeader(header);
    expect(reading).toMatchObject({ state: "done", authority: "localhost", source: { port: localPort } });
    const text = header.toString("latin1");
    expect(text).toContain("\x01\x00\x0apostgresql");
    expect(text).toContain("\x21\x00\x07TLSv1.3");
    expect(text).toContain("\x23\x00\x16TLS_AES_256_GCM_SHA384");
    expect(text).not.toContain("\x22\x00");
    expect(text.slice(reading.state === "done" ? reading.length : 0)).toBe("hello");
  });

  test("the header is the first thing an app gets that wasn't up yet", async () => {
    const reserved = await startTcpApp(() => {});
    await reserved[Symbol.asyncDispose]();
    await using proxy = await startTcp(reserved.port, { sendProxyProtocol: "v1", upstreamWait: "30s" });
    const client = await connectTls(proxy);
    client.end("early");
    await vi.waitFor(async () => expect((await proxy.sidecar.get("/readyz")).text).toMatch(/^degraded/));
    await using _app = await startTcpApp(tell, { host: "127.0.0.1", port: reserved.port });
    expect((await ending(client)).text).toMatch(/^PROXY TCP4 127.0.0.1 127.0.0.1 \d+ \d+\r\nearly$/);
  });
});
