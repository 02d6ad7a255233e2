import { describe, expect, test, vi } from "vitest";
import { rewriteBody } from "../src/http-proxy/index.ts";
import { get, onAnswer, startCustom } from "./custom-proxy.ts";
import { answering, startRawApp } from "./raw-app.ts";
import { connectTo, exchange } from "./start-proxy.ts";

describe("rewriteBody", () => {
  const shout = onAnswer((fromApp) =>
    rewriteBody(fromApp, async function* (body) {
      for await (const piece of body) yield piece.toString().toUpperCase();
      yield "!";
    }),
  );
  const hello =
    'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\nAccept-Ranges: bytes\r\nContent-Length: 5\r\n\r\nhello';

  test("changes the body; it goes out in chunks, without what was said of the app's bytes", async () => {
    await using app = await startRawApp(answering(hello));
    await using proxy = await startCustom(app, shout);
    const text = await exchange(proxy, get());
    expect(text).toMatch(/\r\n\r\n5\r\nHELLO\r\n1\r\n!\r\n0\r\n\r\n$/);
    expect(text).toMatch(/\r\nTransfer-Encoding: chunked\r\n/);
    expect(text).toMatch(/ETag/);
    expect(text).not.toMatch(/content-length|md5|ranges/i);
  });

  test("to a client of HTTP/1.0, whom the connection's end tells", async () => {
    await using app = await startRawApp(answering(hello));
    await using proxy = await startCustom(app, shout);
    const text = await exchange(proxy, get().replace("HTTP/1.1", "HTTP/1.0"));
    expect(text).toMatch(/\r\n\r\nHELLO!$/);
    expect(text).not.toMatch(/content-length|transfer-encoding/i);
  });

  test.each([
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
  ])("isn't asked where there is no body: %s, %j", async (method, bare) => {
    await using app = await startRawApp(answering(bare));
    await using proxy = await startCustom(app, shout);
    const text = await exchange(proxy, get().replace("GET", method));
    expect(text).toMatch(/^[^!]*\r\n\r\n$/);
    expect(text).not.toMatch(/content-length|transfer-encoding/i);
  });

  test("that throws leaves an answer that visibly breaks off", async () => {
    await using app = await startRawApp(answering(hello));
    const attach = onAnswer((fromApp) =>
      rewriteBody(fromApp, async function* (body) {
        yield* body;
        throw new Error("oops");
      }),
    );
    await using proxy = await startCustom(app, attach);
    expect(await exchange(proxy, get())).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(await exchange(proxy, get())).not.toMatch(/oops/);
    expect(proxy.told).toContain("failed rewriteBody failed: oops");
  });

  test("a client that leaves takes the app's work along", async () => {
    await using app = await startRawApp((socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\nfirst"));
    await using proxy = await startCustom(app, shout);
    const client = await connectTo(proxy);
    client.send(get());
    await client.receives(/FIRST/);
    client.socket.destroy();
    await vi.waitFor(() => expect(app.open.size).toBe(0));
  });
});
