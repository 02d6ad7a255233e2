import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engines, startProxy } from "../start-proxy.ts";
import { forwardedHead } from "./forwarded-head.ts";
import { PASSED_REQUESTS } from "./passed-requests.ts";
import { type ReadingApp, startReadingApp } from "./reading-app.ts";
import { type Target, sendCutEverywhere, targetOf } from "./send-split.ts";

describe.each(engines)("engine %s", (engine) => {
  const stack = new AsyncDisposableStack();
  let app: ReadingApp;
  let target: Target;

  beforeAll(async () => {
    app = stack.use(await startReadingApp());
    target = targetOf(stack.use(await startProxy(app.port, { engine })));
  });
  afterAll(() => stack.disposeAsync());

  const rows = PASSED_REQUESTS.filter(({ only = engine }) => only === engine);
  test.each(rows.map((row) => [row.name, row] as const))(
    "%s: the app sees exactly this, wherever it is cut",
    async (_name, { bytes, head, body = "", trailers = "" }) => {
      const answers = await sendCutEverywhere(target, bytes, (received) => received.endsWith("\r\n\r\n"));
      expect(answers.filter((text) => !text.startsWith("HTTP/1.1 200 OK\r\n"))).toEqual([]);
      const { messages, faults } = app.take();
      expect(faults).toEqual([]);
      expect(messages).toHaveLength(answers.length);
      const expected = { head: forwardedHead(engine, head), body, trailers };
      for (const message of messages) expect(message).toEqual(expected);
    },
  );
});
