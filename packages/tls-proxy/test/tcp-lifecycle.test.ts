import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type Socket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFile } from "node:fs/promises";
import { spawnScript } from "@pillion/kit/testing";
import { describe, expect, test, vi } from "vitest";
import { connectTls, ending, startTcp, startTcpApp } from "./start-tcp.ts";

const echo = (socket: Socket) => void socket.pipe(socket);

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const app = await startTcpApp(() => {});
  await app[Symbol.asyncDispose]();
  return app.port;
}

describe("the app is away", () => {
  test("a client is held with all it sent, and has the app once it is up; meanwhile degraded", async () => {
    const port = await freePort();
    await using proxy = await startTcp(port, { upstreamWait: "30s" });
    const client = await connectTls(proxy);
    client.end("early");
    await vi.waitFor(async () =>
      expect(await proxy.sidecar.get("/readyz")).toMatchObject({
        status: 200,
        text: expect.stringMatching(
          /^degraded: app: nothing answers at 127\.0\.0\.1:\d+ \(ECONNREFUSED\); clients are held/,
        ),
      }),
    );
    await using _app = await startTcpApp(echo, { host: "127.0.0.1", port });
    expect(await ending(client)).toEqual({ how: "end", text: "early" });
    expect((await proxy.sidecar.get("/readyz")).text).toMatch(/^ready/);
  });

  test("the same for a unix socket that isn't there yet", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tls-proxy-unix-"));
    const path = join(directory, "app.sock");
    await using proxy = await startTcp(`unix:${path}`, { upstreamWait: "30s" });
    const client = await connectTls(proxy);
    client.end("early");
    await vi.waitFor(async () => expect((await proxy.sidecar.get("/readyz")).text).toMatch(/ENOENT/));
    await using _app = await startTcpApp(echo, { path });
    expect((await ending(client)).text).toBe("early");
    await rm(directory, { recursive: true });
  });

  test("when the wait is over the client is aborted, and counted", async () => {
    await using proxy = await startTcp(await freePort(), { upstreamWait: "50ms" });
    const client = await connectTls(proxy);
    expect((await ending(client)).how).toBe("ECONNRESET");
    expect(await proxy.metric('tcp_connections_total{outcome="away"')).toBe(1);
    expect(await proxy.metric('tcp_connections_total{outcome="aborted"')).toBeNaN();
    expect(await proxy.metric("connections")).toBe(0);
  });

  test("a client that leaves while it waits never reaches the app", async () => {
    const port = await freePort();
    await using proxy = await startTcp(port, { upstreamWait: "30s" });
    const raw = connect({ port: proxy.port, host: "127.0.0.1" });
    const client = await connectTls(proxy, { socket: raw });
    client.on("error", () => {});
    await vi.waitFor(async () => expect((await proxy.sidecar.get("/readyz")).text).toMatch(/^degraded/));
    raw.resetAndDestroy();
    await vi.waitFor(async () => expect(await proxy.metric('tcp_connections_total{outcome="aborted"')).toBe(1));
    await using app = await startTcpApp(echo, { host: "127.0.0.1", port });
    const next = await connectTls(proxy);
    next.end("next");
    expect((await ending(next)).text).toBe("next");
    expect(app.connections).toHaveLength(1);
  });
});

describe("shutdown", () => {
  test("takes no more, lets go of who waits for the app, and waits for an answer that is owed", async () => {
    await using app = await startTcpApp((socket) => void socket.on("end", () => {}).resume());
    await using proxy = await startTcp(app.port);
    const busy = await connectTls(proxy);
    busy.end("question");
    await vi.waitFor(() => expect(app.connections[0]?.bytesRead).toBe(8));
    const stopped = proxy.sidecar.stop();
    await vi.waitFor(() => expect(connectTls(proxy)).rejects.toThrow(/ECONNREFUSED/));
    app.connections[0]?.end("answer");
    expect(await ending(busy)).toEqual({ how: "end", text: "answer" });
    expect(await stopped).toBe(true);
  });

  test("an idle connection, on which the app spoke last, ends with a goodbye", async () => {
    await using app = await startTcpApp((socket) => void socket.write("* ready\r\n"));
    await using proxy = await startTcp(app.port);
    const idle = await connectTls(proxy);
    await once(idle, "data");
    const stopped = proxy.sidecar.stop();
    expect((await ending(idle)).how).toBe("end");
    expect(await stopped).toBe(true);
    await vi.waitFor(() => expect(app.connections[0]?.readableEnded || app.connections[0]?.destroyed).toBe(true));
  });

  test("a connection whose client reads slowly is not idle: it gets all of it", async () => {
    const size = 32 * 1024 * 1024;
    await using app = await startTcpApp((socket) => void socket.end(Buffer.alloc(size)));
    await using proxy = await startTcp(app.port);
    const slow = await connectTls(proxy);
    slow.pause();
    await vi.waitFor(() => expect(app.connections[0]?.writableLength).toBeGreaterThan(0));
    const stopped = proxy.sidecar.stop();
    const idle = new Promise((resolve) => setTimeout(resolve, 1_500)); // an idle one would be over by now
    expect(await Promise.race([stopped, idle])).toBeUndefined();
    slow.end();
    expect((await ending(slow.resume())).text).toHaveLength(size);
    expect(await stopped).toBe(true);
  });

  test("who still waits for the app is let go at once", async () => {
    await using proxy = await startTcp(await freePort(), { upstreamWait: "1h" });
    const waiting = await connectTls(proxy);
    await vi.waitFor(async () => expect((await proxy.sidecar.get("/readyz")).text).toMatch(/^degraded/));
    const stopped = proxy.sidecar.stop();
    expect((await ending(waiting)).how).toBe("ECONNRESET");
    expect(await stopped).toBe(true);
  });

  test("as a process: what is at work at the deadline is aborted and named, exit 1", async () => {
    const stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-state-"));
    const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));
    await using app = await startTcpApp((socket) => void socket.resume());
    const args = ["--mode", "tcp", "--app-port", `${app.port}`, "--state-dir", stateDir, "--shutdown-timeout", "200ms"];
    await using proxy = spawnScript(bin, [...args, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    const port = Number((await proxy.says(/"tls":"127\.0\.0\.1:(\d+)"[^\n]*"msg":"started"/))[1]);
    const client = await connectTls({ port, ca: await readFile(join(stateDir, "development-ca/ca.pem"), "utf8") });
    client.write("question");
    await vi.waitFor(() => expect(app.connections[0]?.bytesRead).toBe(8));
    proxy.process.kill("SIGTERM");
    expect((await ending(client)).how).toBe("ECONNRESET");
    expect(await proxy.exited).toBe(1);
    expect(proxy.output()).toMatch(/CONNECTIONS_CUT_OFF/);
    expect(proxy.output()).toMatch(
      /1 still at work .* cut off: connection from 127\.0\.0\.1, \d+\.\d s old, 8 bytes to the app and 0 back/,
    );
    await rm(stateDir, { recursive: true });
  });

  test("options that only --mode tcp has are refused without it, exit 2", async () => {
    const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));
    const args = [
      "--app-port",
      "1",
      "--send-proxy-protocol",
      "v1",
      "--alpn",
      "h2",
      "--proxy-protocol-from",
      "10.0.0.1/8",
    ];
    await using proxy = spawnScript(bin, args);
    expect(await proxy.exited).toBe(2);
    expect(proxy.output()).toMatch(/--send-proxy-protocol: is only for --mode tcp/);
    expect(proxy.output()).toMatch(/--alpn: is only for --mode tcp/);
    expect(proxy.output()).toMatch(/--proxy-protocol-from "10\.0\.0\.1\/8": bits are set beyond the prefix/);
  });
});
