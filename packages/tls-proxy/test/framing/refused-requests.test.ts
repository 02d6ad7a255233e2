import { describe, expect, test } from "vitest";
import { engines } from "../start-proxy.ts";
import { proxyInFront } from "./in-front.ts";
import { startReadingApp } from "./reading-app.ts";
import { REFUSED_REQUESTS, statusWith } from "./refused-requests.ts";
import { sendCutEverywhere } from "./send-split.ts";

describe.each(engines)("engine %s", (engine) => {
  const started = proxyInFront(startReadingApp, { engine });

  const rows = REFUSED_REQUESTS.map((row) => [row.name, statusWith(row, engine), row.bytes] as const);
  test.each(rows.filter(([, status]) => status !== undefined))(
    "%s: %s and a closed connection, wherever it is cut; the app sees nothing",
    async (_name, expected, bytes) => {
      const answers = await sendCutEverywhere(started.target, bytes, () => false);
      const answer = new RegExp(`^HTTP/1\\.1 ${expected} [^]*\\r\\nConnection: close\\r\\n`);
      const isOne = (text: string) =>
        text.match(/^HTTP/gm)?.length === 1 && text.match(/^Date: .* GMT\r$/gm)?.length === 1;
      expect(answers.filter((text) => !answer.test(text) || !isOne(text))).toEqual([]);
      expect(started.app.take()).toEqual({ messages: [], faults: [], octets: 0 });
    },
  );
});
