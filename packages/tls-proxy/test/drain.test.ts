import { once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { OK, startRawApp } from "./raw-app.ts";
import { connectTo, engines, startProxy } from "./start-proxy.ts";

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: app\r\n\r\n`;
const never = () => new AbortController().signal;

describe.each(engines)("engine %s", (engine) => {
  test("idle connections close at once, requests in flight end with Connection: close, no new ones are taken", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { engine });
    const idle = await connectTo(proxy);
    const busy = await connectTo(proxy);
    busy.send(get("/slow"));
    await vi.waitFor(() => expect(app.open.size).toBe(1));

    const drained = proxy.front.drain(never());
    await idle.closed;
    await expect(connectTo(proxy)).rejects.toThrow(/ECONNREFUSED/);
    for (const socket of app.open) socket.write(OK);
    expect(await busy.closed).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\nConnection: close\r\n[^]*ok$/);
    expect(await drained).toEqual([]);
  });

  test("an answer whose head had gone out before is finished, then its connection closes, whatever others wait for", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.includes("/begun")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ");
    });
    await using proxy = await startProxy(app.port, { engine });
    const begun = await connectTo(proxy);
    begun.send(get("/begun"));
    await begun.receives(/half $/);
    const [begunAtApp] = app.open;
    const other = await connectTo(proxy);
    other.send(get("/other"));
    await vi.waitFor(() => expect(app.open.size).toBe(2));
    const drained = proxy.front.drain(never());
    begunAtApp?.write("whole");
    expect(await begun.closed).toMatch(/half whole$/);
    for (const socket of app.open) if (socket !== begunAtApp) socket.write(OK);
    await other.closed;
    expect(await drained).toEqual([]);
  });

  test("at the deadline it says what is cut off, without the query", async () => {
    await using app = await startRawApp(() => {});
    await using proxy = await startProxy(app.port, { engine });
    const busy = await connectTo(proxy);
    busy.send(get("/stuck?token=secret"));
    await vi.waitFor(() => expect(app.open.size).toBe(1));
    const deadline = new AbortController();
    const drained = proxy.front.drain(deadline.signal);
    deadline.abort();
    expect(await drained).toEqual([expect.stringMatching(/^GET \/stuck from 127\.0\.0\.1, \d+\.\d s old$/)]);
    await busy.closed;
    await vi.waitFor(() => expect(app.open.size).toBe(0));
  });

  test("upgraded connections are closed at the end, and nobody waits for them", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.includes("Upgrade: websocket"))
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    });
    await using proxy = await startProxy(app.port, { engine });
    const tunnel = await connectTo(proxy);
    tunnel.send("GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await tunnel.receives(/101/);
    const [tunnelAtApp] = app.open;
    expect(proxy.front.upgraded).toBe(1);
    const busy = await connectTo(proxy);
    busy.send(get("/slow"));
    await vi.waitFor(() => expect(app.open.size).toBe(2));

    const drained = proxy.front.drain(never());
    const goodbye = once(tunnel.socket, "end");
    expect(tunnel.socket.destroyed).toBe(false);
    for (const socket of app.open) if (socket.bytesWritten === 0) socket.write(OK);
    await busy.closed;
    expect(await drained).toEqual([]);
    await goodbye;
    await vi.waitFor(() => expect(tunnelAtApp?.destroyed).toBe(true));
  });

  test("a request that comes while draining, on a connection that was told to stay, is answered with Connection: close", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.includes("/second")) socket.write(OK);
      else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ");
    });
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send(get("/first") + get("/second"));
    await client.receives(/half $/);
    const [firstAtApp] = app.open;
    const drained = proxy.front.drain(never());
    firstAtApp?.write("whole");
    expect(await client.closed).toMatch(/half wholeHTTP\/1.1 200 OK\r\n[^]*Connection: close\r\n[^]*ok$/);
    expect(await drained).toEqual([]);
  });
});
