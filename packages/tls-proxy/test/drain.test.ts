import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { OK, startRawApp } from "./raw-app.ts";
import { SWITCHED, handshake } from "./raw-web-socket.ts";
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
      if (received.includes("Upgrade: websocket")) socket.write(SWITCHED);
    });
    await using proxy = await startProxy(app.port, { engine });
    const tunnel = await connectTo(proxy);
    tunnel.send(handshake());
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

describe.each(engines)("server-sent events, engine %s", (engine) => {
  const EVENTS = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=utf-8\r\n";

  test.each([
    ["in chunks", `${EVENTS}Transfer-Encoding: chunked\r\n\r\n`, (event: string) => `9\r\n${event}\r\n`],
    ["to the connection's end", `${EVENTS}\r\n`, (event: string) => event],
  ])("%s break off when nothing else is under way, and nobody waits for them", async (_how, head, framed) => {
    await using app = await startRawApp((socket, received) => {
      if (received.includes("/events")) socket.write(head + framed("data: 1\n\n"));
    });
    await using proxy = await startProxy(app.port, { engine });
    const events = await connectTo(proxy);
    events.send(get("/events"));
    await events.receives(/data: 1/);
    const [eventsAtApp] = app.open;
    const busy = await connectTo(proxy);
    busy.send(get("/slow"));
    await vi.waitFor(() => expect(app.open.size).toBe(2));
    const drained = proxy.front.drain(never());
    eventsAtApp?.write(framed("data: 2\n\n"));
    await events.receives(/data: 2/); // it waits for the other request
    for (const socket of app.open) if (socket.bytesWritten === 0) socket.write(OK);
    expect(await busy.closed).toMatch(/ok$/);
    expect(await drained).toEqual([]);
    expect(await events.closed).toMatch(/data: 2\n\n\r\n$/); // the last chunk is missing
    await vi.waitFor(() => expect(eventsAtApp?.destroyed).toBe(true));
    expect(proxy.told.filter((one) => one.startsWith("failed"))).toEqual([]);
  });

  test("an HTTP/1.0 client's end in a reset, or half of them would look whole", async () => {
    await using app = await startRawApp((socket) => void socket.write(`${EVENTS}\r\ndata: 1\n\n`));
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send("GET /events HTTP/1.0\r\n\r\n");
    await client.receives(/data: 1/);
    const broken = once(client.socket, "error");
    expect(await proxy.front.drain(never())).toEqual([]);
    expect(await broken).toMatchObject([{ code: "ECONNRESET" }]);
  });

  test("that begin while draining aren't waited for; the answer to a POST in their format is", async () => {
    const senders = new Map<string, Socket>();
    await using app = await startRawApp((socket, received) => void senders.set(received.split(" ")[1] ?? "", socket));
    await using proxy = await startProxy(app.port, { engine });
    const [events, tokens] = [await connectTo(proxy), await connectTo(proxy)];
    events.send(get("/events"));
    tokens.send("POST /tokens HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\n\r\n");
    await vi.waitFor(() => expect([...senders.keys()].toSorted()).toEqual(["/events", "/tokens"]));
    const drained = proxy.front.drain(never());
    for (const socket of senders.values()) socket.write(`${EVENTS}Transfer-Encoding: chunked\r\n\r\n`);
    await events.receives(/text\/event-stream[^]*\r\n\r\n$/);
    senders.get("/tokens")?.write("9\r\ndata: 1\n\n\r\n");
    await tokens.receives(/data: 1/);
    expect(events.socket.destroyed).toBe(false);
    senders.get("/tokens")?.write("0\r\n\r\n");
    expect(await tokens.closed).toMatch(/data: 1\n\n\r\n0\r\n\r\n$/);
    expect(await drained).toEqual([]);
    expect(await events.closed).toMatch(/text\/event-stream[^]*\r\n\r\n$/);
  });

  test("a request behind them on their connection isn't waited for either", async () => {
    await using app = await startRawApp((socket, received) => {
      if (received.includes("/events")) socket.write(`${EVENTS}\r\ndata: 1\n\n`);
    });
    await using proxy = await startProxy(app.port, { engine });
    const client = await connectTo(proxy);
    client.send(get("/events") + get("/behind"));
    await client.receives(/data: 1/);
    expect(await proxy.front.drain(never())).toEqual([]);
    expect(await client.closed).toMatch(/data: 1\n\n\r\n$/);
  });
});

test("a WebSocket whose handshake is answered while draining gets the answer, and isn't waited for then", async () => {
  await using app = await startRawApp(() => {});
  await using proxy = await startProxy(app.port);
  const tunnel = await connectTo(proxy);
  tunnel.send(handshake());
  await vi.waitFor(() => expect(app.received.join()).toContain("websocket"));
  const drained = proxy.front.drain(never());
  for (const socket of app.open) socket.write(SWITCHED);
  expect(await tunnel.closed).toMatch(/^HTTP\/1.1 101 /);
  expect(await drained).toEqual([]);
});
