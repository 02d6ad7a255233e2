import { describe, expect, test } from "vitest";
import { type RawClient, type StartedProxy, connectTo, engines } from "../start-proxy.ts";
import { proxyInFront } from "./in-front.ts";
import { startJudgedApp } from "./judged-app.ts";
import { METHODS } from "./methods.ts";
import { isHiddenToSome } from "./sloppy-readers.ts";
import { SMUGGLING_IN_HEADS } from "./smuggling-in-heads.ts";
import { SMUGGLING } from "./smuggling.ts";

const ROWS = [...SMUGGLING, ...SMUGGLING_IN_HEADS].map((row) => ({ methods: METHODS, only: undefined, ...row }));

test.each(ROWS)("to some reader a request is hidden in $name", ({ bytes, methods: [method = "GET"] }) =>
  expect(isHiddenToSome(bytes(method))).toBe(true),
);

describe.each(engines)("engine %s", (engine) => {
  const started = proxyInFront(startJudgedApp, { engine });

  test.each(ROWS.filter(({ only = engine }) => only === engine))(
    "what reaches the app of $name is the same to every reader, whatever the method",
    async ({ bytes, methods }) => {
      const clients = await Promise.all(methods.map((method) => sendTo(started.proxy, bytes(method))));
      // All that is to come of them has come when others were served after them.
      await bystander();
      await bystander();
      for (const client of clients) client.socket.destroy();
      expect(started.app.differences()).toEqual([]);
    },
  );

  async function bystander(): Promise<void> {
    const client = await sendTo(started.proxy, "GET /bystander HTTP/1.1\r\nHost: app\r\n\r\n");
    await client.receives(/^HTTP\/1\.1 200 OK\r\n/);
    client.socket.destroy();
  }
});

async function sendTo(proxy: StartedProxy, bytes: string): Promise<RawClient> {
  const client = await connectTo(proxy);
  client.send(bytes);
  return client;
}
