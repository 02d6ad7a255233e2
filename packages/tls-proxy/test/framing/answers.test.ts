import { describe, expect, test } from "vitest";
import { engines } from "../start-proxy.ts";
import { startAnsweringApp } from "./answering-app.ts";
import { ANSWERS } from "./answers.ts";
import { proxyInFront } from "./in-front.ts";
import { readAnswer } from "./read-answer.ts";
import { atATime, sendSplit } from "./send-split.ts";

/** What every final answer gets that has none from the app. */
const DATE = /(?<=\r\n)Date: \w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT\r\n/g;
/** What Node's server adds to every answer. */
const NODE_FIELDS = /^(Connection: keep-alive|Keep-Alive: timeout=75)\r\n/gm;

describe.each(engines)("engine %s", (engine) => {
  const started = proxyInFront(startAnsweringApp, { engine });

  const rows = ANSWERS.filter(({ only = engine }) => only === engine);
  test.each(rows.map((row) => [row.client === 502 ? "502 for" : "the client sees exactly", row.name, row] as const))(
    "%s: %s, wherever it is cut",
    async (_outcome, _name, { line = "GET / HTTP/1.1", answer, closes = false, client: expected, ends = false }) => {
      started.app.script = { answer, closes };
      const isHead = line.startsWith("HEAD");
      const isWhole = (received: string) => !ends && readAnswer(received, isHead) !== undefined;
      const seen: string[] = [];
      await atATime(answer.length, async (cut) => {
        const request = `${line.replace("/", `/${cut}`)}\r\nHost: app\r\n\r\n`;
        const received = await sendSplit(started.target, request, 0, isWhole);
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
    started.app.script = { answer: `${answer}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`, closes: false };
    const isWhole = (received: string) => readAnswer(received, false) !== undefined;
    const before = started.app.accepted;
    for (let count = 0; count < 20; count++)
      expect(await sendSplit(started.target, "GET / HTTP/1.1\r\nHost: app\r\n\r\n", 0, isWhole)).toMatch(
        /\r\n\r\nhello$/,
      );
    // The first one may have found an idle connection. None of them is used again.
    expect(started.app.accepted - before).toBeGreaterThanOrEqual(19);
  });
});
