import { describe, expect, test } from "vitest";
import { type StartedProxy, connectTo, engines, exchange } from "../start-proxy.ts";
import { proxyInFront } from "./in-front.ts";
import { METHODS } from "./methods.ts";
import { startReadingApp } from "./reading-app.ts";
import { SMUGGLING } from "./smuggling.ts";

const FINAL = /^HTTP\/1\.1 ([2-5]\d\d) /m;

/** The last request of a connection, which shows that the proxy still knows where requests begin. */
const last = (target: string) => `GET ${target} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`;

describe.each(engines)("engine %s", (engine) => {
  const started = proxyInFront(startReadingApp, { engine });

  const rows = SMUGGLING.filter(({ only = engine }) => only === engine).map(
    ({ name, bytes }) => [name, bytes] as const,
  );
  test.each(rows)("%s: no method brings a second request to the app", async (_name, bytes) => {
    for (const method of METHODS) {
      const answer = await attack(started.proxy, bytes(method));
      expect(await exchange(started.proxy, last("/next")), method).toMatch(/^HTTP\/1\.1 200 /);
      const { messages, faults } = started.app.take();
      const targets = messages.map(({ head }) => head.split(" ")[1]);
      const answered = answer.match(/^HTTP\/1\.1 200 /gm)?.length ?? 0;
      const passed = ["/payload", "/behind"].slice(0, answered);
      expect({ method, targets, faults }).toEqual({ method, targets: [...passed, "/next"], faults: [] });
    }
  });
});

/** Sends a payload, and one more request unless the connection was closed before. */
async function attack(proxy: StartedProxy, bytes: string): Promise<string> {
  const client = await connectTo(proxy);
  client.send(bytes);
  const answer = await client.receives(FINAL);
  if (/^Connection: close\r$/m.test(answer)) return await client.closed;
  client.send(last("/behind"));
  return await client.closed;
}
