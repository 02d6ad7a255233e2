import { describe, expect, test } from "vitest";
import { engines } from "../start-proxy.ts";
import { startAnsweringApp } from "./answering-app.ts";
import { BROKEN_CHUNKS } from "./broken-bodies.ts";
import { proxyInFront } from "./in-front.ts";
import { startReadingApp } from "./reading-app.ts";
import { atATime, sendCutEverywhere, sendSplit } from "./send-split.ts";

const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
const never = () => false;

describe.each(engines)("engine %s", (engine) => {
  const reading = proxyInFront(startReadingApp, { engine });
  const answering = proxyInFront(startAnsweringApp, { engine });

  test.each(BROKEN_CHUNKS)(
    "a request with %s: 400, and never whole at the app, wherever it is cut",
    async (_name, body) => {
      const answers = await sendCutEverywhere(
        reading.target,
        `POST / HTTP/1.1\r\nHost: app\r\n${CHUNKED}${body}`,
        never,
      );
      for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*\r\nConnection: close\r\n/);
      expect(reading.app.take()).toMatchObject({ messages: [], faults: [] });
    },
  );

  test.each(BROKEN_CHUNKS)(
    "an answer with %s is never whole at the client, wherever it is cut",
    async (_name, body) => {
      answering.app.script = { answer: `HTTP/1.1 200 OK\r\n${CHUNKED}${body}`, closes: false };
      const seen: string[] = [];
      await atATime(answering.app.script.answer.length, async (cut) => {
        seen[cut] = await sendSplit(answering.target, `GET /${cut} HTTP/1.1\r\nHost: app\r\n\r\n`, 0, (received) =>
          received.startsWith("HTTP/1.1 502"),
        );
      });
      // Nothing had gone out yet of one that came whole.
      if (engine === "relay") expect(seen[0]).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[^]*\n$/);
      for (const received of seen)
        expect(received).toMatch(/^(HTTP\/1\.1 502 [^]*|HTTP\/1\.1 200 (?![^]*\r\n0\r\n)[^]*|)$/);
    },
  );
});
