import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engines, startProxy } from "../start-proxy.ts";
import { type ReadingApp, startReadingApp } from "./reading-app.ts";
import { REFUSED_REQUESTS, statusWith } from "./refused-requests.ts";
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

  const rows = REFUSED_REQUESTS.map((row) => [row.name, statusWith(row, engine), row.bytes] as const);
  test.each(rows.filter(([, status]) => status !== undefined))(
    "%s: %s and a closed connection, wherever it is cut; the app sees nothing",
    async (_name, expected, bytes) => {
      const answers = await sendCutEverywhere(target, bytes, () => false);
      const answer = new RegExp(`^HTTP/1\\.1 ${expected} [^]*\\r\\nConnection: close\\r\\n`);
      const isOne = (text: string) =>
        text.match(/^HTTP/gm)?.length === 1 && text.match(/^Date: .* GMT\r$/gm)?.length === 1;
      expect(answers.filter((text) => !answer.test(text) || !isOne(text))).toEqual([]);
      expect(app.take()).toEqual({ messages: [], faults: [], octets: 0 });
    },
  );
});
