import { describe, expect, test } from "vitest";
import { startAnsweringApp } from "./answering-app.ts";
import { proxyInFront } from "./in-front.ts";
import { readAnswer } from "./read-answer.ts";
import { sendSplit } from "./send-split.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const DATE = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
const BAD_GATEWAY = /^HTTP\/1\.1 502 Bad Gateway\r\n[^]*usable answer\.\n$/;

const started = proxyInFront(startAnsweringApp);

/** What the client gets of an answer that the app cuts in two, or sends whole: 0. */
async function answerTo(answer: string, cut: number, more = ""): Promise<string> {
  started.app.script = { answer, closes: false };
  const isWhole = (received: string) => readAnswer(received, false) !== undefined;
  return await sendSplit(started.target, `GET /${cut} HTTP/1.1\r\nHost: app\r\n${more}\r\n`, 0, isWhole);
}

describe.each([0, 17, 60_000])("an answer that is cut behind %i octets", (cut) => {
  test.each([64 * 1024, 16 * 1024])("a head of %i octets passes byte for byte", async (octets) => {
    const answer = `${headOf(octets)}hello`;
    expect(await answerTo(answer, cut)).toBe(answer);
  });

  test.each([64 * 1024 + 1, 70_000, 100_000, 300_000])("a head of %i octets: 502", async (octets) => {
    expect(await answerTo(`${headOf(octets)}hello`, cut)).toMatch(BAD_GATEWAY);
  });

  test("an informational answer's head counts by itself", async () => {
    const early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    const answer = `${early}${headOf(64 * 1024)}hello`;
    expect(await answerTo(answer, cut)).toBe(answer);
    expect(await answerTo(`${early}${headOf(64 * 1024 + 1)}hello`, cut)).toMatch(/HTTP\/1\.1 502 /);
  });
});

/** A head of so many octets. */
function headOf(octets: number): string {
  const [begin, end] = [`${OK}${DATE}Content-Length: 5\r\nX-Long: `, "\r\n\r\n"];
  return begin + "x".repeat(octets - begin.length - end.length) + end;
}

describe("an answer whose body turns out to be broken", () => {
  const begun = `${OK}${DATE}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`;

  test("in the same read as its head: 502, as nothing had gone out", async () => {
    const received = await answerTo(`${begun}5\r\nhello!\r\n0\r\n\r\n`, 0);
    expect(received).toMatch(BAD_GATEWAY);
    expect(received).toContain("\r\nConnection: close\r\n");
    expect(received).not.toContain("hello");
  });

  test("behind much of its body, which had gone out: it breaks off", async () => {
    const much = "x".repeat(200_000);
    const received = await answerTo(`${begun}${much.length.toString(16)}\r\n${much}\r\nnone\r\n`, 0);
    expect(received === "" || received.startsWith(OK)).toBe(true);
    expect(received).not.toMatch(/HTTP\/1\.1 502|\r\n0\r\n/);
  });

  test("in a later read: it breaks off", async () => {
    const received = await answerTo(`${begun}none\r\n`, begun.length);
    expect(received).toBe(begun);
  });

  test("behind a 100 that came with it: 502, and the connection ends", async () => {
    const received = await answerTo(`HTTP/1.1 100 Continue\r\n\r\n${begun}none\r\n`, 0);
    expect(received).toMatch(BAD_GATEWAY);
  });
});
