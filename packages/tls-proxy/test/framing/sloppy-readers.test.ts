import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RawApp, startRawApp } from "../raw-app.ts";
import { type RawClient, type StartedProxy, connectTo, engines, startProxy } from "../start-proxy.ts";
import { MessageReader } from "./message-reader.ts";
import { ANSWER } from "./reading-app.ts";
import { BROKEN_READERS, SLOPPY_READERS, readSloppily } from "./sloppy-readers.ts";
import { SMUGGLING_IN_HEADS } from "./smuggling-in-heads.ts";
import { SMUGGLING } from "./smuggling.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "MADE-UP"];
const ROWS = [...SMUGGLING, ...SMUGGLING_IN_HEADS].map((row) => ({ methods: METHODS, only: undefined, ...row }));

test.each(ROWS)("to some reader a request is hidden in $name", ({ bytes, methods: [method = "GET"] }) => {
  const text = bytes(method);
  const deceived = Object.entries({ ...SLOPPY_READERS, ...BROKEN_READERS }).filter(([, laxness]) =>
    readSloppily(text, laxness).includes("/smuggled"),
  );
  expect(deceived).not.toHaveLength(0);
});

describe.each(engines)("engine %s", (engine) => {
  const stack = new AsyncDisposableStack();
  let app: RawApp;
  let proxy: StartedProxy;
  const faults: string[] = [];

  beforeAll(async () => {
    app = stack.use(await startStrictApp(faults));
    proxy = stack.use(await startProxy(app.port, { engine }));
  });
  afterAll(() => stack.disposeAsync());

  test.each(ROWS.filter(({ only = engine }) => only === engine))(
    "what reaches the app of $name is the same to every reader, whatever the method",
    async ({ bytes, methods }) => {
      const before = app.received.map(({ length }) => length);
      const clients = await Promise.all(methods.map((method) => sendTo(proxy, bytes(method))));
      // All that is to come of them has come when others were served after them.
      await bystander();
      await bystander();
      for (const client of clients) client.socket.destroy();
      const reached = app.received.map((text, index) => text.slice(before[index] ?? 0)).filter((text) => text !== "");
      const read = (laxness = {}) => reached.map((text) => readSloppily(text, laxness));
      const toTheLetter = read();
      expect(faults.splice(0)).toEqual([]);
      expect(toTheLetter.flat()).not.toContain("/smuggled");
      for (const [name, laxness] of Object.entries(SLOPPY_READERS)) expect(read(laxness), name).toEqual(toTheLetter);
    },
  );

  async function bystander(): Promise<void> {
    const client = await sendTo(proxy, "GET /bystander HTTP/1.1\r\nHost: app\r\n\r\n");
    await client.receives(/^HTTP\/1\.1 200 OK\r\n/);
    client.socket.destroy();
  }
});

async function sendTo(proxy: StartedProxy, bytes: string): Promise<RawClient> {
  const client = await connectTo(proxy);
  client.send(bytes);
  return client;
}

/** Answers each request that is whole to the letter; ends a connection with what isn't by the standard, and keeps why. */
async function startStrictApp(faults: string[]): Promise<RawApp> {
  const readers = new WeakMap<object, { reader: MessageReader; read: number }>();
  return await startRawApp((socket, received) => {
    const state = readers.get(socket) ?? { reader: new MessageReader(), read: 0 };
    readers.set(socket, state);
    const more = received.slice(state.read);
    state.read = received.length;
    try {
      for (let count = state.reader.read(more).length; count > 0; count--) socket.write(ANSWER);
    } catch (error) {
      faults.push((error as Error).message);
      socket.destroy();
    }
  });
}
