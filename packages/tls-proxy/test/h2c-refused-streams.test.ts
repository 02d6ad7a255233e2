import { type ServerHttp2Stream, constants } from "node:http2";
import { describe, expect, test, vi } from "vitest";
import { connectH2 } from "./h2-client.ts";
import { CALL, echo, startH2cApp } from "./h2c-app.ts";
import { exchange, startProxy } from "./start-proxy.ts";

/** Refuses the first streams, then answers with how many came before. */
function refusing(times: number): (stream: ServerHttp2Stream) => void {
  let count = 0;
  return (stream) => {
    if (count++ < times) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else echo(stream);
  };
}

describe("a request that the app refuses unread (REFUSED_STREAM)", () => {
  test("is sent again, twice at most and with a pause, then it is a 502", async () => {
    await using app = await startH2cApp(refusing(Infinity));
    await using proxy = await startProxy(app.port, { h2c: true, wait: 5_000 });
    await using client = await connectH2(proxy);
    const startedAt = performance.now();
    expect((await client.request()).status).toBe(502);
    expect(performance.now() - startedAt).toBeGreaterThan(140);
    expect(app.heads).toHaveLength(3);
    const text = await exchange(proxy, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1.1 502 /);
    expect(app.heads).toHaveLength(6);
  });

  test("is answered when the app takes it then", async () => {
    await using app = await startH2cApp(refusing(2));
    await using proxy = await startProxy(app.port, { h2c: true, wait: 5_000 });
    await using client = await connectH2(proxy);
    expect((await client.request({ ":path": "/again" })).status).toBe(200);
    expect(app.heads.map(({ ":path": path }) => path)).toEqual(["/again", "/again", "/again"]);
    expect(new Set(app.heads.map((head) => JSON.stringify(head))).size).toBe(1);
  });

  test("isn't sent again with a body, or beyond --upstream-wait", async () => {
    await using app = await startH2cApp(refusing(Infinity));
    await using proxy = await startProxy(app.port, { h2c: true, wait: 60 });
    await using client = await connectH2(proxy);
    expect((await client.request(CALL, "message")).status).toBe(502);
    expect(app.heads).toHaveLength(1);
    expect((await client.request()).status).toBe(502);
    expect(app.heads).toHaveLength(3);
  });

  test("isn't sent again when its client has left", async () => {
    await using app = await startH2cApp(refusing(Infinity));
    await using proxy = await startProxy(app.port, { h2c: true, wait: 5_000 });
    await using client = await connectH2(proxy);
    const stream = client.session.request();
    stream.on("error", () => {});
    await vi.waitFor(() => expect(app.heads).toHaveLength(2), { interval: 1 });
    stream.close(constants.NGHTTP2_CANCEL);
    await vi.waitFor(() => expect(proxy.told).toContain("answered 499"));
    expect((await client.request()).status).toBe(502); // it takes longer than the pause
    expect(app.heads).toHaveLength(5);
  });

  test("with the whole connection goes to another one, as often and no more", async () => {
    let left = 1;
    await using app = await startH2cApp((stream) => {
      if (left-- <= 0) return echo(stream);
      stream.session?.goaway();
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    await using proxy = await startProxy(app.port, { h2c: true, wait: 5_000 });
    await using client = await connectH2(proxy);
    expect((await client.request()).status).toBe(200);
    expect(app.heads).toHaveLength(2);
    left = Infinity;
    expect((await client.request()).status).toBe(502);
    expect(app.heads).toHaveLength(5);
  });
});
