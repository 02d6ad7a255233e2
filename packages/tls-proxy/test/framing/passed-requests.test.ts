import { describe, expect, test } from "vitest";
import { engines } from "../start-proxy.ts";
import { forwardedHead } from "./forwarded-head.ts";
import { proxyInFront } from "./in-front.ts";
import { PASSED_REQUESTS } from "./passed-requests.ts";
import { startReadingApp } from "./reading-app.ts";
import { sendCutEverywhere } from "./send-split.ts";

describe.each(engines)("engine %s", (engine) => {
  const started = proxyInFront(startReadingApp, { engine });

  const rows = PASSED_REQUESTS.filter(({ only = engine }) => only === engine);
  test.each(rows.map((row) => [row.name, row] as const))(
    "%s: the app sees exactly this, wherever it is cut",
    async (_name, { bytes, head, body = "", trailers = "" }) => {
      const answers = await sendCutEverywhere(started.target, bytes, (received) => received.endsWith("\r\n\r\n"));
      expect(answers.filter((text) => !text.startsWith("HTTP/1.1 200 OK\r\n"))).toEqual([]);
      const { messages, faults } = started.app.take();
      expect(faults).toEqual([]);
      expect(messages).toHaveLength(answers.length);
      const expected = { head: forwardedHead(engine, head), body, trailers };
      for (const message of messages) expect(message).toEqual(expected);
    },
  );
});
