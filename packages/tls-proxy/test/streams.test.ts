import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { request } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, test, vi } from "vitest";
import { fill } from "./fill.ts";
import { httpApp, slowDigest } from "./http-app.ts";
import { startRawApp } from "./raw-app.ts";
import { connectTo, engines, startProxy } from "./start-proxy.ts";

const MIB = 1 << 20;

describe.each(engines)("engine %s", (engine) => {
  test("64 MiB up to an app that reads slowly, and 64 MiB down to a slow client, arrive whole", async () => {
    const block = randomBytes(MIB);
    const blocks = function* () {
      for (let count = 0; count < 64; count++) yield block;
    };
    const expected = createHash("sha256");
    for (const one of blocks()) expected.update(one);
    const sum = expected.digest("hex");

    await using app = await httpApp((incoming, response) => {
      if (incoming.method === "GET") return void pipeline(Readable.from(blocks()), response).catch(() => {});
      void slowDigest(incoming).then((digest) => response.end(digest));
    });
    await using proxy = await startProxy(app.port, { engine });
    const options = { port: proxy.port, host: "localhost", ca: proxy.ca };

    const upload = request({ ...options, method: "POST", headers: { "Content-Length": 64 * MIB } });
    const answered = once(upload, "response") as Promise<[Readable]>;
    await pipeline(Readable.from(blocks()), upload);
    expect((await (await answered)[0].toArray()).join("")).toBe(sum);

    const download = request(options).end();
    const [response] = (await once(download, "response")) as [Readable];
    expect(await slowDigest(response)).toBe(sum);
  });

  describe("back-pressure", () => {
    // What fits into the kernel's buffers of two loopback connections (tcp(7): 4 and 6 MiB each) and into the streams.
    const BOUND = 32 * MIB;

    test("an app that doesn't read stops the client", async () => {
      await using app = await startRawApp((socket) => void socket.pause());
      await using proxy = await startProxy(app.port, { engine });
      const client = await connectTo(proxy);
      client.send(`POST / HTTP/1.1\r\nHost: app\r\nContent-Length: ${1024 * MIB}\r\n\r\n`);
      expect(await fill(client.socket)).toBeLessThan(BOUND);
      client.socket.destroy();
    });

    test("a client that doesn't read stops the app", async () => {
      const filled = Promise.withResolvers<number>();
      await using app = await startRawApp((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1024 * MIB}\r\n\r\n`);
        filled.resolve(fill(socket));
      });
      await using proxy = await startProxy(app.port, { engine });
      const client = await connectTo(proxy);
      client.socket.pause();
      client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
      expect(await filled.promise).toBeLessThan(BOUND);
      client.socket.destroy();
    });
  });

  test("server-sent events arrive one by one, the head before the first", async () => {
    const events = Promise.withResolvers<(text: string) => void>();
    await using app = await httpApp((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
      events.resolve((text) => void response.write(text));
    });
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send("GET /events HTTP/1.1\r\nHost: app\r\n\r\n");
    expect(await client.receives(/\r\n\r\n$/)).toMatch(/text\/event-stream/);
    const emit = await events.promise;
    for (let count = 1; count <= 3; count++) {
      emit(`data: ${count}\n\n`);
      await client.receives(new RegExp(`data: ${count}\n\n\r\n$`));
    }
    client.socket.destroy();
  });

  test("an upload's head reaches the app before its first byte", async () => {
    const seen = vi.fn<RequestListener>((_request, response) => void response.writeHead(413).end());
    await using app = await httpApp(seen);
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 1000000\r\n\r\n");
    await client.receives(/^HTTP\/1.1 413 /);
    expect(seen).toHaveBeenCalledOnce();
    client.socket.destroy();
  });
});
