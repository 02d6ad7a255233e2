import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { damagedAnswer } from "./fuzz/answers.ts";
import { TOKEN } from "./fuzz/traffic.ts";
import { startRawApp } from "./raw-app.ts";
import { type StartedProxy, connectTo, engines, startProxy } from "./start-proxy.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_128);
const CASES = Number(process.env["FUZZ_CASES"] ?? 500);
const CLIENTS = 16;
/** How long a client may wait for an answer or an end, milliseconds: the app has said all it ever says. */
const BOUND = 15_000;

describe.each(engines)("engine %s", (engine) => {
  const stack = new AsyncDisposableStack();
  const uncaught: unknown[] = [];
  const keep = (error: unknown) => void uncaught.push(error);
  /** By a client's token, what the app says to it; without one, the app says what is right. */
  const answers = new Map<string, string>();
  let proxy: StartedProxy;

  beforeAll(async () => {
    process.on("uncaughtExceptionMonitor", keep);
    const app = stack.use(await startRawApp(answerNext(answers)));
    proxy = stack.use(await startProxy(app.port, { engine }));
  });
  afterAll(async () => {
    process.off("uncaughtExceptionMonitor", keep);
    await stack.disposeAsync();
  });

  test("whatever the app says, each client gets an answer or an end, and nobody what is another's", async () => {
    const left = fc.sample(damagedAnswer, { seed: SEED, numRuns: CASES });
    const work = async () => {
      for (let answer = left.pop(); answer !== undefined; answer = left.pop()) {
        const token = newToken();
        answers.set(token, answer.replaceAll(TOKEN, token));
        const received = await ask(proxy, token);
        const others = tokensIn(received).filter((other) => other !== token && answers.has(other));
        expect(others, JSON.stringify({ seed: SEED, answer, received })).toEqual([]);
        // Between two damaged ones, on the same connections to the app: what is left of one isn't in the other.
        const well = newToken();
        expect(await ask(proxy, well)).toMatch(new RegExp(`^HTTP/1\\.1 200 OK\r\n[^]*\r\n\r\n${well}$`));
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, work));
    expect(uncaught).toEqual([]);
  });
});

const newToken = () => `T${randomBytes(8).toString("hex")}T`;
const tokensIn = (text: string): string[] => text.match(/T[\da-f]{16}T/g) ?? [];

/** Answers each request by the token in its target. What is said is said at once: a later word could meet the next request. */
function answerNext(answers: ReadonlyMap<string, string>) {
  const answered = new WeakMap<Socket, number>();
  return (socket: Socket, received: string) => {
    const requests = received.split("\r\n\r\n").slice(0, -1);
    for (const request of requests.slice(answered.get(socket) ?? 0)) {
      const [token = ""] = tokensIn(request);
      const damaged = answers.get(token);
      if (damaged === undefined) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${token.length}\r\n\r\n${token}`);
      else socket.end(damaged, "latin1"); // what is missing of it never comes
    }
    answered.set(socket, requests.length);
  };
}

/** @returns all that came until the proxy closed */
async function ask(proxy: StartedProxy, token: string): Promise<string> {
  const client = await connectTo(proxy);
  client.send(`GET /${token} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`);
  const { promise, reject } = Promise.withResolvers<never>();
  const bound = setTimeout(() => reject(new Error(`nothing ends: ${JSON.stringify(client.text())}`)), BOUND);
  return await Promise.race([client.closed, promise]).finally(() => {
    clearTimeout(bound);
    client.socket.destroy();
  });
}
