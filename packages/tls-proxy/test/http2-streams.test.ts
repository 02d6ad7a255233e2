import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, test, vi } from "vitest";
import { fill } from "./fill.ts";
import { answerOf, connectH2 } from "./h2-client.ts";
import { httpApp, slowDigest } from "./http-app.ts";
import { OK, startRawApp } from "./raw-app.ts";
import { startProxy } from "./start-proxy.ts";

const MIB = 1 << 20;

test.each([16 * 1024, MIB])(
  "64 MiB up to an app that reads slowly, and down to a slow client, arrive whole, in pieces of %s",
  { timeout: 30_000 },
  async (size) => {
    const block = randomBytes(size);
    const blocks = function* () {
      for (let count = 0; count < (64 * MIB) / size; count++) yield block;
    };
    const expected = createHash("sha256");
    for (const one of blocks()) expected.update(one);
    const sum = expected.digest("hex");
    await using app = await httpApp((incoming, response) => {
      if (incoming.method === "GET") return void pipeline(Readable.from(blocks()), response).catch(() => {});
      void slowDigest(incoming).then((digest) => response.end(digest));
    });
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    for (const length of [{ "content-length": `${64 * MIB}` }, {}]) {
      const upload = client.session.request({ ":method": "POST", ...length }, { endStream: false });
      const answer = answerOf(upload);
      await pipeline(Readable.from(blocks()), upload);
      expect((await answer).body).toBe(sum);
    }
    const download = client.session.request({});
    await once(download, "response");
    expect(await slowDigest(download)).toBe(sum);
  },
);

describe("back-pressure", () => {
  // What fits into the kernel's buffers of two loopback connections and into the streams.
  const BOUND = 32 * MIB;

  test("an app that doesn't read stops the client, and no other stream", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.startsWith("POST")) socket.pause();
      else socket.write(OK);
    });
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    const upload = client.session.request({ ":method": "POST" }, { endStream: false });
    upload.on("error", () => {});
    expect(await fill(upload)).toBeLessThan(BOUND);
    expect((await client.request()).body).toBe("ok");
  });

  test("a client that doesn't read stops the app, and no other stream", async () => {
    const filled = Promise.withResolvers<number>();
    await using app = await startRawApp((socket, received) => {
      if (!received.includes("/large")) return void socket.write(OK);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1024 * MIB}\r\n\r\n`);
      filled.resolve(fill(socket));
    });
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    const download = client.session.request({ ":path": "/large" });
    download.on("error", () => {}).pause();
    expect(await filled.promise).toBeLessThan(BOUND);
    expect((await client.request()).body).toBe("ok");
  });
});

test("server-sent events arrive one by one, the head before the first", async () => {
  const events = Promise.withResolvers<(text: string) => void>();
  await using app = await httpApp((_request, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
    events.resolve((text) => void response.write(text));
  });
  await using proxy = await startProxy(app.port);
  await using client = await connectH2(proxy);
  const stream = client.session.request({ ":path": "/events" });
  const [headers] = await once(stream, "response");
  expect(headers).toMatchObject({ "content-type": "text/event-stream" });
  const emit = await events.promise;
  for (const text of ["data: 1\n\n", "data: 2\n\n"]) {
    emit(text);
    const [bytes] = (await once(stream, "data")) as [Buffer];
    expect(bytes.toString()).toBe(text);
  }
});

describe("a client that resets a stream frees the app's connection", () => {
  test.each([
    ["before the answer, a GET", "GET", undefined],
    ["in its body", "POST", undefined],
    ["in the answer", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
    ["in an answer in chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
  ])("%s", async (_name, method, answer) => {
    await using app = await startRawApp((socket) => answer !== undefined && void socket.write(answer));
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    for (const code of [0, 8]) {
      const stream = client.session.request({ ":method": method }, { endStream: method === "GET" });
      stream.on("error", () => {});
      if (method === "POST") stream.write("some");
      await vi.waitFor(() => expect(app.open.size).toBe(1));
      if (answer !== undefined) await once(stream, "data");
      stream.close(code);
      await vi.waitFor(() => expect(app.open.size).toBe(0));
    }
    expect(proxy.told.at(-1)).toBe(answer === undefined ? "answered 499" : "answered 200");
  });

  test("with the app not reading, and no word but the reset", async () => {
    await using app = await startRawApp((socket) => void socket.pause());
    await using proxy = await startProxy(app.port);
    await using client = await connectH2(proxy);
    const stream = client.session.request({ ":method": "POST" }, { endStream: false });
    stream.on("error", () => {});
    await fill(stream);
    stream.close(0);
    await vi.waitFor(() => expect(proxy.told.at(-1)).toBe("answered 499"));
  });

  test("whose body the app broke off before, and the connection with it", async () => {
    await using app = await startRawApp((socket) => void socket.resetAndDestroy());
    await using proxy = await startProxy(app.port);
    const client = await connectH2(proxy);
    const stream = client.session.request({ ":method": "POST" });
    stream.on("error", () => {}).end(Buffer.alloc(MIB));
    await vi.waitFor(() => expect(proxy.told).toContain("failed ECONNRESET"));
    await client[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(proxy.front.open).toBe(0));
    expect(proxy.told.at(-1)).toBe("answered 502");
  });

  test("a whole connection that goes", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port);
    const client = await connectH2(proxy);
    for (let count = 0; count < 3; count++) client.session.request({}).on("error", () => {});
    await vi.waitFor(() => expect(app.open.size).toBe(3));
    await client[Symbol.asyncDispose]();
    await vi.waitFor(() => expect([app.open.size, proxy.front.open]).toEqual([0, 0]));
  });
});

describe("time-outs", { timeout: 20_000 }, () => {
  test("a body that comes too slowly gets 408", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { relay: { minBodyRate: 1_000_000 } });
    await using client = await connectH2(proxy);
    const stream = client.session.request({ ":method": "POST" }, { endStream: false });
    stream.write("some");
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 408 });
    await vi.waitFor(() => expect(app.open.size).toBe(0));
  });

  test("a body that stops coming gets 408, where no least rate is set or its window is longer; one that comes goes on", async () => {
    await using app = await startRawApp(() => {});
    for (const minBodyRate of [0, 240]) {
      await using proxy = await startProxy(app.port, { relay: { minBodyRate, stallTimeout: 1_200 } });
      await using client = await connectH2(proxy);
      const [stalled, steady] = [0, 1].map(() => client.session.request({ ":method": "POST" }, { endStream: false }));
      stalled?.write("some");
      steady?.on("error", () => {}).write("a".repeat(100_000));
      const trickle = setInterval(() => steady?.write("a"), 50);
      const answer = await answerOf(stalled as ClientHttp2Stream);
      clearInterval(trickle);
      expect(answer).toMatchObject({
        status: 408,
        body: expect.stringContaining("nothing more of its body") as string,
      });
      expect(steady?.destroyed).toBe(false);
    }
  });

  test("a client that takes nothing of an answer loses the stream alone", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.includes("/large"))
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${8 * MIB}\r\n\r\n${"x".repeat(8 * MIB)}`);
      else socket.write(OK);
    });
    await using proxy = await startProxy(app.port, { relay: { stallTimeout: 500 } });
    await using client = await connectH2(proxy);
    const stream = client.session.request({ ":path": "/large" });
    const reset = once(stream, "error");
    stream.pause();
    await reset;
    expect((await client.request()).body).toBe("ok");
    await vi.waitFor(() => expect(app.open.size).toBe(1));
  });

  test("a connection without requests, and one between two, end with GOAWAY", async () => {
    await using app = await startRawApp((socket) => void socket.write(OK));
    await using proxy = await startProxy(app.port, { relay: { headTimeout: 500, keepAliveTimeout: 2_000 } });
    const idle = await connectH2(proxy);
    const used = await connectH2(proxy);
    const [since, goodbye] = [performance.now(), once(used.session, "goaway")];
    await used.request();
    await once(idle.session, "close");
    expect(used.session.closed).toBe(false);
    expect((await goodbye)[0]).toBe(0);
    expect(performance.now() - since).toBeGreaterThan(1_900);
    await vi.waitFor(() => expect(proxy.front.open).toBe(0));
  });

  test("a connection ends after its last request, which is answered", async () => {
    await using app = await startRawApp((socket) => void socket.write(OK));
    await using proxy = await startProxy(app.port, { relay: { maxRequests: 2 } });
    await using client = await connectH2(proxy);
    expect((await client.request()).body).toBe("ok");
    expect((await client.request()).body).toBe("ok");
    await vi.waitFor(() => expect(client.session.destroyed).toBe(true));
  });
});
