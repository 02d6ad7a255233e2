import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engines, startProxy } from "../start-proxy.ts";
import { type AnsweringApp, startAnsweringApp } from "./answering-app.ts";
import { ANSWERS } from "./answers.ts";
import { readAnswer } from "./read-answer.ts";
import { type Target, atATime, sendSplit, targetOf } from "./send-split.ts";

/** What every final answer gets that has none from the app. */
const DATE = /(?<=\r\n)Date: \w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT\r\n/g;
/** What Node's server adds to every answer. */
const NODE_FIELDS = /^(Connection: keep-alive|Keep-Alive: timeout=75)\r\n/gm;

describe.each(engines)("engine %s", (engine) => {
  const stack = new AsyncDisposableStack();
  let app: AnsweringApp;
  let target: Target;

  beforeAll(async () => {
    app = stack.use(await startAnsweringApp());
    target = targetOf(stack.use(await startProxy(app.port, { engine })));
  });
  afterAll(() => stack.disposeAsync());

  const rows = ANSWERS.filter(({ only = engine }) => only === engine);
  test.each(rows.map((row) => [row.client === 502 ? "502 for" : "the client sees exactly", row.name, row] as const))(
    "%s: %s, wherever it is cut",
    async (_outcome, _name, { line = "GET / HTTP/1.1", answer, closes = false, client: expected, ends = false }) => {
      app.script = { answer, closes };
      const isHead = line.startsWith("HEAD");
      const isWhole = (received: string) => !ends && readAnswer(received, isHead) !== undefined;
      const seen: string[] = [];
      await atATime(answer.length, async (cut) => {
        const request = `${line.replace("/", `/${cut}`)}\r\nHost: app\r\n\r\n`;
        const received = await sendSplit(target, request, 0, isWhole);
        const read = ends ? received : (readAnswer(received, isHead) ?? `incomplete: ${received}`);
        const dates = read.match(DATE)?.length ?? 0;
        const isDated = /^Date:/im.test(answer) && expected !== 502;
        const undated = dates === (isDated ? 0 : 1) ? read.replace(DATE, "") : `${dates} dates: ${read}`;
        seen[cut] = engine === "relay" ? undated : undated.replaceAll(NODE_FIELDS, "");
      });
      expect(seen).toHaveLength(answer.length);
      if (expected === 502)
        for (const read of seen) expect(read).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[^]*answer\.\n$/);
      else for (const read of seen) expect(read).toBe(expected);
    },
  );

  test("what the app says behind a complete answer is never the answer to the next request", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    app.script = { answer: `${answer}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`, closes: false };
    const isWhole = (received: string) => readAnswer(received, false) !== undefined;
    const before = app.accepted;
    for (let count = 0; count < 20; count++)
      expect(await sendSplit(target, "GET / HTTP/1.1\r\nHost: app\r\n\r\n", 0, isWhole)).toMatch(/\r\n\r\nhello$/);
    // The first one may have found an idle connection. None of them is used again.
    expect(app.accepted - before).toBeGreaterThanOrEqual(19);
  });
});
