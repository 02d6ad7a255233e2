import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { NO_RULES, answerRules } from "../answers/answer-rules.ts";
import { forwardResponseHead } from "../http1/forward-response.ts";
import { Outgoing } from "../http1/outgoing.ts";
import { ResponseHead, parseResponseHead } from "../http1/response-head.ts";
import { AnswerHeads } from "./answer-heads.ts";

const out = new Outgoing();
const ANSWER =
  "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: old\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n";
const plain = { chunked: false, close: false, host: "app.test", rules: NO_RULES };

/** An app's answers in turn: how each is read, and what the client gets. */
function connection() {
  const heads = new AnswerHeads();
  return (text: string, client: Partial<typeof plain> = {}, isHead = false) => {
    const bytes = Buffer.from(text, "latin1");
    return seen(heads.read(bytes, 0, bytes.length, isHead), client);
  };
}

function alone(text: string, client: Partial<typeof plain> = {}, isHead = false) {
  const head = new ResponseHead();
  const bytes = Buffer.from(text, "latin1");
  const read = parseResponseHead(head, bytes, 0, bytes.length, isHead);
  return seen(typeof read === "string" ? read : read < 0 ? undefined : head, client);
}

function seen(head: ResponseHead | string | undefined, client: Partial<typeof plain>) {
  if (head === undefined || typeof head === "string") return { problem: head };
  forwardResponseHead(head, { ...plain, ...client }, out);
  const { status, framing, contentLength, persists, start, end } = head;
  return { status, framing, contentLength, persists, length: end - start, sent: out.take().toString("latin1") };
}

test("the same head is read and sent as the first time", () => {
  const answer = connection();
  for (let count = 0; count < 5; count++) expect(answer(`${ANSWER}hello`)).toEqual(alone(ANSWER));
});

test("a Date of ours is never an old one", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2030, 1, 3) });
  const undated = ANSWER.replace(/Date: .*\r\n/, "");
  const answer = connection();
  for (const second of ["00", "01", "02"]) {
    for (let count = 0; count < 3; count++)
      expect(answer(undated)).toMatchObject({
        sent: `HTTP/1.1 200 OK\r\nServer: old\r\nContent-Length: 5\r\nDate: Sun, 03 Feb 2030 00:00:${second} GMT\r\n\r\n`,
      });
    vi.advanceTimersByTime(1000);
  }
  vi.useRealTimers();
});

test("what the client's connection asks for isn't taken from an answer before", () => {
  const answer = connection();
  answer(ANSWER);
  expect(answer(ANSWER, { close: true })).toEqual(alone(ANSWER, { close: true }));
  expect(answer(ANSWER, { chunked: true })).toEqual(alone(ANSWER, { chunked: true }));
  const rules = answerRules({ hsts: 60_000, hstsIncludeSubdomains: false, repair: "all", app: { path: "/app" } });
  expect(answer(ANSWER, { rules })).toEqual(alone(ANSWER, { rules }));
  expect(answer(ANSWER)).toEqual(alone(ANSWER));
});

test("what depends on the request is written anew for each", () => {
  const app = { host: "127.0.0.1", port: 8080 };
  const rules = answerRules({ hsts: 0, hstsIncludeSubdomains: false, repair: "all", app });
  const moved = "HTTP/1.1 302 Found\r\nDate: today\r\nLocation: http://127.0.0.1:8080/a\r\nContent-Length: 0\r\n\r\n";
  const answer = connection();
  for (const host of ["one.test", "two.test", "one.test"])
    expect(answer(moved, { rules, host })).toEqual(alone(moved, { rules, host }));
});

test("an answer to HEAD has no body, whatever the same head announced before", () => {
  const answer = connection();
  answer(ANSWER);
  expect(answer(ANSWER, {}, true)).toMatchObject({ framing: "none", contentLength: 0 });
  expect(answer(ANSWER)).toMatchObject({ framing: "length", contentLength: 5 });
});

test("property: on a connection every answer becomes what it becomes alone, however it is cut", () => {
  const heads = fc.constantFrom(
    ANSWER,
    ANSWER.replace("5", "6"),
    ANSWER.replace("old", "odd"),
    ANSWER.replaceAll("\r\n", "\n"),
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 5\r\n\r\n",
  );
  const client = fc.record({ chunked: fc.boolean(), close: fc.boolean() });
  const answers = fc.array(fc.tuple(heads, client, fc.boolean(), fc.nat(90)), { maxLength: 20 });
  vi.useFakeTimers({ toFake: ["Date"] });
  fc.assert(
    fc.property(answers, (all) => {
      const answer = connection();
      for (const [text, asked, isHead, cut] of all) {
        const part = text.slice(0, cut === 90 ? undefined : cut);
        expect(answer(part, asked, isHead)).toEqual(alone(part, asked, isHead));
        expect(answer(text, asked, isHead)).toEqual(alone(text, asked, isHead));
      }
    }),
    { numRuns: 500 },
  );
  vi.useRealTimers();
});
