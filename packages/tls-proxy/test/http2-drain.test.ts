import { once } from "node:events";
import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { expect, test, vi } from "vitest";
import { answerOf, connectH2 } from "./h2-client.ts";
import { OK, startRawApp } from "./raw-app.ts";
import { startProxy } from "./start-proxy.ts";

const EVENTS = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=utf-8\r\nTransfer-Encoding: chunked";
const never = () => new AbortController().signal;

test("clients hear GOAWAY, idle connections end, streams in flight are answered, no new ones are taken", async () => {
  await using app = await startRawApp(() => {});
  await using proxy = await startProxy(app.port);
  const idle = await connectH2(proxy);
  const busy = await connectH2(proxy);
  const answer = busy.request({ ":path": "/slow" });
  await vi.waitFor(() => expect(app.open.size).toBe(1));
  const goodbyes = [idle, busy].map(({ session }) => once(session, "goaway"));
  const drained = proxy.front.drain(never());
  for (const goodbye of goodbyes) expect((await goodbye)[0]).toBe(0);
  await expect(busy.request()).rejects.toThrow(/GOAWAY/);
  for (const socket of app.open) socket.write(OK);
  expect((await answer).body).toBe("ok");
  expect(await drained).toEqual([]);
  await vi.waitFor(() => expect([idle.session.destroyed, busy.session.destroyed]).toEqual([true, true]));
});

test("at the deadline it says what is cut off, without the query; half an answer doesn't look whole", async () => {
  await using app = await startRawApp((socket, received) => {
    if (received.includes("/half")) socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
  });
  await using proxy = await startProxy(app.port);
  const client = await connectH2(proxy);
  const stuck = client.request({ ":path": "/stuck?token=secret", ":method": "DELETE" });
  const half = client.session.request({ ":path": "/half" });
  const ends = [stuck, answerOf(half)].map((one) =>
    one.then(
      () => "whole",
      (error: Error) => error.message,
    ),
  );
  await once(half, "data");
  const deadline = new AbortController();
  const drained = proxy.front.drain(deadline.signal);
  deadline.abort();
  const age = String.raw`from 127\.0\.0\.1, \d+\.\d s old$`;
  expect(await drained).toEqual([
    expect.stringMatching(`^DELETE /stuck ${age}`),
    expect.stringMatching(`^GET /half ${age}`),
  ]);
  const reset = expect.stringContaining("NGHTTP2_INTERNAL_ERROR") as string;
  expect(await Promise.all(ends)).toEqual([reset, reset]);
  await vi.waitFor(() => expect(app.open.size).toBe(0));
});

test("event streams end visibly when nothing else is under way, and nobody waits for them", async () => {
  await using app = await startRawApp((socket, received) => {
    if (received.includes("/events")) socket.write(`${EVENTS}\r\n\r\n9\r\ndata: 1\n\n\r\n`);
  });
  await using proxy = await startProxy(app.port);
  const client = await connectH2(proxy);
  const events = client.session.request({ ":path": "/events" });
  await once(events, "data");
  const [eventsAtApp] = app.open;
  const answer = client.request({ ":path": "/slow" });
  await vi.waitFor(() => expect(app.open.size).toBe(2));
  const drained = proxy.front.drain(never());
  const broken = once(events, "error");
  eventsAtApp?.write("9\r\ndata: 2\n\n\r\n");
  expect(String((await once(events, "data"))[0])).toBe("data: 2\n\n"); // it waits for the other request
  for (const socket of app.open) if (socket.bytesWritten === 0) socket.write(OK);
  expect((await answer).body).toBe("ok");
  expect(String((await broken)[0])).toContain("NGHTTP2_INTERNAL_ERROR");
  expect(await drained).toEqual([]);
  await vi.waitFor(() => expect([eventsAtApp?.destroyed, client.session.destroyed]).toEqual([true, true]));
});

test("an event stream that begins while draining isn't waited for, the answer to a POST in its format is", async () => {
  await using app = await startRawApp(() => {});
  await using proxy = await startProxy(app.port);
  const client = await connectH2(proxy);
  const events = client.session.request({ ":path": "/events" });
  await vi.waitFor(() => expect(app.open.size).toBe(1));
  const [eventsAtApp] = app.open;
  const tokens = client.session.request({ ":path": "/tokens", ":method": "POST" }).end();
  await vi.waitFor(() => expect(app.open.size).toBe(2));
  const [, tokensAtApp] = app.open;
  const begun = Promise.all([once(events, "response"), once(tokens, "response")]);
  const [said, broken] = [text(tokens), once(events, "error")];
  const drained = proxy.front.drain(never());
  for (const socket of app.open) socket.write(`${EVENTS}\r\n\r\n`);
  await begun;
  eventsAtApp?.write("9\r\ndata: 1\n\n\r\n");
  await once(events, "data"); // it waits for the tokens
  tokensAtApp?.write("9\r\ndata: 2\n\n\r\n0\r\n\r\n");
  expect(await said).toBe("data: 2\n\n");
  expect(String((await broken)[0])).toContain("NGHTTP2_INTERNAL_ERROR");
  expect(await drained).toEqual([]);
});

test("WebSockets end when nothing else is under way, and nobody waits for them", async () => {
  const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  await using app = await startRawApp((socket, received) => {
    const key = /sec-websocket-key: (.*)\r/.exec(received)?.[1];
    const accept = createHash("sha1").update(`${key}${guid}`).digest("base64");
    const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    if (key !== undefined) socket.write(`${head}Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
  });
  await using proxy = await startProxy(app.port);
  const client = await connectH2(proxy);
  const tunnel = client.session.request({ ":method": "CONNECT", ":protocol": "websocket" }, { endStream: false });
  await once(tunnel.resume(), "response");
  const [tunnelAtApp] = app.open;
  const answer = client.request({ ":path": "/slow" });
  await vi.waitFor(() => expect(app.open.size).toBe(2));
  const drained = proxy.front.drain(never());
  const goodbye = once(tunnel, "end");
  for (const socket of app.open) if (socket.bytesWritten === 0) socket.write(OK);
  expect((await answer).body).toBe("ok");
  await goodbye;
  expect(await drained).toEqual([]);
  await vi.waitFor(() => expect(tunnelAtApp?.destroyed).toBe(true));
});
