import { expect, test } from "vitest";
import { DATA, END_HEADERS, END_STREAM, HEADERS, block, connectFrames, frame } from "../h2-frames.ts";
import { exchange } from "../start-proxy.ts";
import { DOWNGRADES, type Downgrade } from "./downgrades.ts";
import { proxyInFront } from "./in-front.ts";
import { startJudgedApp } from "./judged-app.ts";
import { METHODS } from "./methods.ts";
import { isHiddenToSome } from "./sloppy-readers.ts";

const started = proxyInFront(startJudgedApp);

test.each(DOWNGRADES)("to some reader a request is hidden in HTTP/2 with $name, if it is only written down", (row) =>
  expect(isHiddenToSome(writtenDown(row))).toBe(true),
);

test.each(DOWNGRADES)(
  "what reaches the app of HTTP/2 with $name is the same to every reader, whatever the method",
  async (row) => {
    const clients = await Promise.all(METHODS.map((method) => send(row, method)));
    // All that is to come of them has come when others were served after them.
    await bystander();
    await bystander();
    for (const client of clients) client.socket.destroy();
    expect(started.app.differences()).toEqual([]);
  },
);

async function send(row: Downgrade, method: string) {
  const client = await connectFrames(started.proxy);
  const { data = [], trailers = [], fields = [] } = row;
  const last = (isLast: boolean) => (isLast ? END_STREAM : 0);
  const isBodiless = data.length === 0 && trailers.length === 0;
  client.send(
    frame(HEADERS, END_HEADERS | last(isBodiless), 1, block(...Object.entries(pseudo(row, method)).flat(), ...fields)),
    ...data.map((bytes, index) => frame(DATA, last(trailers.length === 0 && index === data.length - 1), 1, bytes)),
    ...(trailers.length === 0 ? [] : [frame(HEADERS, END_HEADERS | END_STREAM, 1, block(...trailers))]),
  );
  await Promise.race([client.outcome(1).catch(() => "closed"), client.closed]);
  return client;
}

const pseudo = (row: Downgrade, method: string): Record<string, string> => ({
  ":method": method,
  ":scheme": "https",
  ":path": "/payload",
  ":authority": "app",
  ...row.pseudo?.(method),
});

async function bystander(): Promise<void> {
  const text = await exchange(started.proxy, "GET /bystander HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
}

/** What a proxy would send that looks at nothing. */
function writtenDown(row: Downgrade): string {
  const { ":method": method, ":path": path, ":authority": authority } = pseudo(row, "POST");
  const lines = (pairs: readonly string[]) =>
    pairs.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${authority}\r\n${lines(row.fields ?? [])}`;
  const body = (row.data ?? []).join("");
  if (row.trailers === undefined) return `${head}\r\n${body}`;
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${lines(row.trailers)}\r\n`;
}
