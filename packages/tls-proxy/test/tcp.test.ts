import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type Socket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { describe, expect, test, vi } from "vitest";
import { connectTls, ending, startTcp, startTcpApp } from "./start-tcp.ts";

const echo = (socket: Socket) => void socket.pipe(socket);
const MIB = 1024 * 1024;

/** As an app writes that makes its answer bit by bit. */
async function writeInPieces(socket: Socket, all: Buffer): Promise<void> {
  for (let at = 0; at < all.length; at += 20_000) {
    if (!socket.write(all.subarray(at, at + 20_000))) await once(socket, "drain");
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
}

/** Resolves when a count has begun and doesn't grow any more. */
async function standsStill(count: () => Promise<number>): Promise<void> {
  let before = 0;
  const same = async () => {
    const now = await count();
    const still = now > 0 && now === before;
    before = now;
    expect(still).toBe(true);
  };
  await vi.waitFor(same, { interval: 200, timeout: 10_000 });
}

describe("bytes", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)("a protocol where the server speaks first, over %s", async (version) => {
    await using app = await startTcpApp((socket) => {
      socket.write("220 ready\r\n");
      socket.on("data", (bytes: Buffer) => socket.write(`250 ${bytes.toString()}`));
    });
    await using proxy = await startTcp(app.port);
    const client = await connectTls(proxy, { minVersion: version, maxVersion: version });
    expect(String((await once(client, "data"))[0])).toBe("220 ready\r\n");
    client.write("EHLO\r\n");
    expect(String((await once(client, "data"))[0])).toBe("250 EHLO\r\n");
    expect(await proxy.metric('handshakes_total{outcome="' + version)).toBe(1);
  });

  test("openssl s_client talks to a binary echo, whatever bytes", async () => {
    await using app = await startTcpApp(echo);
    await using proxy = await startTcp(app.port);
    const bytes = Buffer.concat([Buffer.from("K"), randomBytes(100_000)]);
    const args = [
      "s_client",
      "-quiet",
      "-no_ign_eof",
      "-nocommands",
      "-connect",
      `127.0.0.1:${proxy.port}`,
      "-CAfile",
      proxy.caPath,
    ];
    const client = spawn("openssl", [...args, "-verify_return_error"], { stdio: ["pipe", "pipe", "ignore"] });
    const chunks: Buffer[] = [];
    let length = 0;
    client.stdin.write(bytes);
    for await (const chunk of client.stdout) {
      chunks.push(chunk);
      length += chunk.length;
      if (length === bytes.length) client.stdin.end();
    }
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  test("64 MiB each way at once arrive whole, and are counted", async () => {
    const size = 64 * MIB;
    const digests = async (socket: Socket) => {
      const hash = createHash("sha256");
      socket.on("data", (bytes: Buffer) => hash.update(bytes));
      await once(socket, "end");
      return hash.digest("hex");
    };
    const send = async (socket: Socket) => {
      const hash = createHash("sha256");
      for (let sent = 0; sent < size; sent += MIB) {
        const bytes = randomBytes(MIB);
        hash.update(bytes);
        if (!socket.write(bytes)) await once(socket, "drain");
      }
      socket.end();
      return hash.digest("hex");
    };
    const atApp = Promise.withResolvers<string[]>();
    await using app = await startTcpApp((socket) => {
      Promise.all([send(socket), digests(socket)]).then(atApp.resolve, atApp.reject);
    });
    await using proxy = await startTcp(app.port);
    const client = await connectTls(proxy);
    const [sent, received] = await Promise.all([send(client), digests(client)]);
    expect(await atApp.promise).toEqual([received, sent]);
    await vi.waitFor(async () => expect(await proxy.metric('tcp_connections_total{outcome="ended"')).toBe(1));
    expect(await proxy.metric('tcp_bytes_total{direction="to_app"')).toBe(size);
    expect(await proxy.metric('tcp_bytes_total{direction="to_client"')).toBe(size);
    expect(await proxy.metric("connections")).toBe(0);
  });

  test("40 connections at once, each with bytes of its own in pieces of any size: none gets another's", async () => {
    const answerOf = (seed: string) => Buffer.alloc(300_000, `${seed};`);
    await using app = await startTcpApp((socket) => {
      let seed = "";
      socket.on("data", (bytes: Buffer) => (seed += bytes.toString()));
      socket.once("end", () => {
        const answer = answerOf(seed);
        for (let at = 0; at < answer.length;) {
          const size = 1 + Math.floor(Math.random() ** 4 * 100_000);
          socket.write(answer.subarray(at, (at += size)));
        }
        socket.end();
      });
    });
    await using proxy = await startTcp(app.port);
    const seeds = Array.from({ length: 40 }, (_, index) => `connection ${index}`);
    const answers = seeds.map(async (seed) => {
      const client = await connectTls(proxy);
      client.end(seed);
      return (await ending(client)).text === answerOf(seed).toString();
    });
    expect(await Promise.all(answers)).not.toContain(false);
  });

  test("who reads slowly slows down who writes, and what had to queue arrives as it was", async () => {
    const all = randomBytes(32 * MIB);
    await using app = await startTcpApp((socket) => void writeInPieces(socket, all));
    await using proxy = await startTcp(app.port);
    const client = await connectTls(proxy);
    client.pause();
    const carried = () => proxy.metric('tcp_bytes_total{direction="to_client"');
    await standsStill(carried);
    expect(await carried()).toBeLessThan(24 * MIB);
    client.end();
    const { text } = await ending(client.resume());
    expect(Buffer.from(text, "latin1").equals(all)).toBe(true);
  });

  test("an app that reads slowly slows down its client, and gets everything as it was", async () => {
    const all = randomBytes(32 * MIB);
    await using app = await startTcpApp((socket) => void socket.pause());
    await using proxy = await startTcp(app.port);
    const client = await connectTls(proxy);
    const sent = writeInPieces(client, all);
    const carried = () => proxy.metric('tcp_bytes_total{direction="to_app"');
    await standsStill(carried);
    expect(await carried()).toBeLessThan(24 * MIB);
    const [atApp] = app.connections;
    if (!atApp) throw new Error("no connection");
    const { text } = await ending(atApp.resume());
    expect(Buffer.from(text, "latin1").equals(all)).toBe(true);
    atApp.end();
    await sent;
  });

  test("a unix socket as the app's address", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tls-proxy-unix-"));
    const path = join(directory, "app.sock");
    await using app = await startTcpApp(echo, { path });
    await using proxy = await startTcp(`unix:${path}`);
    const client = await connectTls(proxy);
    client.end("ping");
    expect(await ending(client)).toEqual({ how: "end", text: "ping" });
    expect(app.connections).toHaveLength(1);
    await rm(directory, { recursive: true });
  });

  test("ALPN: without names of ours an offer is ignored, with them one has to fit", async () => {
    await using app = await startTcpApp(echo);
    await using plain = await startTcp(app.port);
    expect((await connectTls(plain, { ALPNProtocols: ["postgresql"] })).alpnProtocol).toBe(false);
    await using named = await startTcp(app.port, { alpn: ["postgresql"] });
    expect((await connectTls(named, { ALPNProtocols: ["h2", "postgresql"] })).alpnProtocol).toBe("postgresql");
    await expect(connectTls(named, { ALPNProtocols: ["h2"] })).rejects.toThrow(/no application protocol/i);
  });
});

describe("ends", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "the client's end is passed on, and the app can still answer, over %s",
    async (version) => {
      await using app = await startTcpApp((socket) => {
        void ending(socket).then(({ text }) => socket.end(`got ${text}`));
      });
      await using proxy = await startTcp(app.port);
      const client = await connectTls(proxy, { minVersion: version, maxVersion: version });
      client.end("question");
      expect(await ending(client)).toEqual({ how: "end", text: "got question" });
    },
  );

  test("the app's end is passed on, and the client can still send", async () => {
    const received = Promise.withResolvers<string>();
    await using app = await startTcpApp((socket) => {
      socket.end("goodbye");
      void ending(socket).then(({ text }) => received.resolve(text));
    });
    await using proxy = await startTcp(app.port);
    const client = await connectTls(proxy);
    expect(await ending(client)).toEqual({ how: "end", text: "goodbye" });
    client.end("one thing more");
    expect(await received.promise).toBe("one thing more");
    await vi.waitFor(async () => expect(await proxy.metric('tcp_connections_total{outcome="ended"')).toBe(1));
  });

  test("an app that breaks off is an error at the client, never an end", async () => {
    await using app = await startTcpApp((socket) => {
      socket.write("half an ans");
      socket.once("data", () => socket.resetAndDestroy());
    });
    await using proxy = await startTcp(app.port);
    const client = await connectTls(proxy);
    const end = ending(client);
    await once(client, "data");
    client.write("now");
    expect((await end).how).toBe("ECONNRESET");
    await vi.waitFor(async () => expect(await proxy.metric('tcp_connections_total{outcome="aborted"')).toBe(1));
  });

  test.each([
    ["before it said anything", () => {}, 0, "ECONNRESET"],
    ["in the middle of what it says", (client: TLSSocket) => client.write("half a que"), 10, "ECONNRESET"],
    ["after its own end, while the app still answers", (client: TLSSocket) => client.end("whole"), 5, "end"],
  ])("a client that breaks off %s is an error at the app", async (_stage, speak, spoken, how) => {
    await using app = await startTcpApp((socket) => void socket.write("hello"));
    await using proxy = await startTcp(app.port);
    const raw = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
    const client = await connectTls(proxy, { socket: raw });
    client.on("error", () => {});
    await once(client, "data");
    const [atApp] = app.connections;
    if (!atApp) throw new Error("no connection");
    const end = ending(atApp);
    speak(client);
    await vi.waitFor(() => expect(atApp.bytesRead).toBe(spoken));
    if (how === "end") await end;
    raw.resetAndDestroy();
    await vi.waitFor(() => {
      if (how === "end") atApp.write("the answer"); // who only writes learns of it by writing
      expect(atApp.errored).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
    });
    expect((await end).how).toBe(how);
    await vi.waitFor(async () => expect(await proxy.metric('tcp_connections_total{outcome="aborted"')).toBe(1));
    expect(await proxy.metric("connections")).toBe(0);
  });

  test("a client that breaks off in its handshake leaves nothing behind", async () => {
    await using app = await startTcpApp(echo);
    await using proxy = await startTcp(app.port);
    const raw = connect(proxy.port, "127.0.0.1");
    await once(raw, "connect");
    raw.write(Buffer.from([0x16, 0x03, 0x01]), () => raw.resetAndDestroy());
    await vi.waitFor(async () => expect(await proxy.metric('handshakes_total{outcome="failed"')).toBe(1));
    expect(app.connections).toHaveLength(0);
    expect(await proxy.sidecar.stop()).toBe(true);
  });

  test("a connection on which nothing moves for too long is aborted both ways", async () => {
    await using app = await startTcpApp((socket) => void socket.write("hello"));
    await using proxy = await startTcp(app.port, { idleTimeout: "100ms" });
    const client = await connectTls(proxy);
    expect(await ending(client)).toEqual({ how: "ECONNRESET", text: "hello" });
    await vi.waitFor(() => expect(app.connections[0]?.destroyed || app.connections[0]?.errored).toBeTruthy());
    await vi.waitFor(async () => expect(await proxy.metric('tcp_connections_total{outcome="idle"')).toBe(1));
  });
});
