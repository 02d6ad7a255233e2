import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { connect } from "node:tls";
import { startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { tlsProxy } from "../src/index.ts";
import { OK, answering, startRawApp } from "./raw-app.ts";
import { connectTo, engines, exchange } from "./start-proxy.ts";

let stateDir: string;
beforeEach(async () => void (stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-manners-"))));
afterEach(() => rm(stateDir, { recursive: true }));

type Options = Parameters<typeof tlsProxy>[0];

async function start(appPort: number, options: Options = {}) {
  const sidecar = await startSidecar(
    tlsProxy({ appPort, listen: "127.0.0.1:0", stateDir, upstreamWait: 0, ...options }),
  );
  const ca = await readFile(join(stateDir, "development-ca/ca.pem"), "utf8");
  return Object.assign(sidecar, { ca, port: Number(sidecar.addresses["https"]?.split(":").at(-1)) });
}

const get = (fields = "") => `GET /a?token=1 HTTP/1.1\r\nHost: app.test:8443\r\n${fields}Connection: close\r\n\r\n`;
const answer = (fields: string) => `HTTP/1.1 302 Found\r\n${fields}Content-Length: 0\r\n\r\n`;

describe.each(engines)("engine %s", (engine) => {
  test("the app's cookies become Secure, and its http:// in Location https:// on the client's host", async () => {
    await using app = await startRawApp(
      answering(answer("Set-Cookie: a=1; Path=/\r\nLocation: http://app.test/b\r\nSet-Cookie: c=2; Secure\r\n")),
    );
    await using proxy = await start(app.port, { engine });
    const text = await exchange(proxy, get());
    expect(text).toMatch(
      /^HTTP\/1.1 302 Found\r\nSet-Cookie: a=1; Path=\/; Secure\r\nLocation: https:\/\/app.test:8443\/b\r\nSet-Cookie: c=2; Secure\r\n/,
    );
  });

  test("a client of HTTP/1.0 that says so by ALPN is served", async () => {
    await using app = await startRawApp(answering(OK));
    await using proxy = await start(app.port, { engine });
    const socket = connect({ port: proxy.port, host: "127.0.0.1", ca: proxy.ca, ALPNProtocols: ["http/1.0"] });
    socket.write("GET / HTTP/1.0\r\n\r\n");
    expect(await readAll(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*ok$/);
  });

  test("--repair none leaves them as they are", async () => {
    const fields = "Set-Cookie: a=1\r\nLocation: http://app.test/b\r\n";
    await using app = await startRawApp(answering(answer(fields)));
    await using proxy = await start(app.port, { engine, repair: "none" });
    expect(await exchange(proxy, get())).toContain(fields);
  });

  test("--hsts is in every answer, in the proxy's own too, unless the app sends its own", async () => {
    const app = await startRawApp(answering(OK));
    await using proxy = await start(app.port, { engine, hsts: "365d" });
    expect(await exchange(proxy, get())).toContain("Strict-Transport-Security: max-age=31536000\r\n");
    await app[Symbol.asyncDispose]();
    expect(await exchange(proxy, get())).toMatch(/^HTTP\/1.1 503 [^]*Strict-Transport-Security: max-age=31536000\r\n/);
    await using other = await startRawApp(answering(answer("Strict-transport-security: max-age=1\r\n")));
    await using second = await start(other.port, { engine, hsts: "365d" });
    const text = await exchange(second, get());
    expect(text.match(/strict-transport-security: .*/gi)).toEqual(["Strict-transport-security: max-age=1"]);
  });

  test("the access log has a line for an answer, and one for a client that left", async () => {
    await using app = await startRawApp((socket, received) => void (received.includes("/slow") || socket.write(OK)));
    const accessLogFile = join(stateDir, "access.log");
    await using proxy = await start(app.port, { engine, accessLog: "json", accessLogFile });
    await exchange(proxy, get("User-Agent: test/1\r\nReferer: https://app.test/\r\n"));
    const leaver = await connectTo(proxy);
    leaver.send("GET /slow HTTP/1.1\r\nHost: app\r\n\r\n");
    await vi.waitFor(() => expect(app.received.join("")).toContain("/slow"));
    leaver.socket.destroy();
    await once(leaver.socket, "close");
    const lines = await vi.waitFor(async () => {
      const all = (await readFile(accessLogFile, "utf8")).trim().split("\n");
      expect(all).toHaveLength(2);
      return all.map((line) => JSON.parse(line) as Record<string, unknown>);
    });
    expect(lines).toMatchObject([
      {
        client: "127.0.0.1",
        method: "GET",
        target: "/a",
        protocol: "HTTP/1.1",
        status: 200,
        bytesSent: 2,
        tlsVersion: "TLSv1.3",
        serverName: "localhost",
        host: "app.test:8443",
        userAgent: "test/1",
        referer: "https://app.test/",
        outcome: "complete",
      },
      { target: "/slow", status: 499, outcome: "client-gone" },
    ]);
  });

  test("what a trusted proxy says of the client is kept and added to; anybody else's word is dropped", async () => {
    await using app = await startRawApp(answering(OK));
    const said =
      "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nForwarded: for=192.0.2.1\r\nX-Real-IP: 6.6.6.6\r\n";
    await using proxy = await start(app.port, { engine, trustForwarded: ["127.0.0.0/8"] });
    await exchange(proxy, get(said));
    expect(app.received[0]).toContain("X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\nX-Forwarded-Proto: http\r\n");
    expect(app.received[0]).toContain('Forwarded: for=192.0.2.1, for=127.0.0.1;host="app.test:8443";proto=https\r\n');
    expect(app.received[0]).not.toContain("6.6.6.6");
    await using other = await start(app.port, { engine, trustForwarded: ["192.0.2.0/24"] });
    await exchange(other, get(said));
    expect(app.received[1]).not.toContain("192.0.2.1");
  });
});
