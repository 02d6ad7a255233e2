import fc from "fast-check";
import { expect, test } from "vitest";
import { forwardRepeated, forwardRequestHead } from "./forward-request.ts";
import { Origin } from "./origin.ts";
import { Outgoing } from "./outgoing.ts";
import { KEPT_AT_MOST, RepeatedFields } from "./repeated-fields.ts";
import { RequestHead, parseRequestHead } from "./request-head.ts";

const out = new Outgoing();
const head = new RequestHead();
const origin = new Origin({ client: { address: "192.0.2.7" } });

/** A connection's requests in turn: what the app gets of each, or why it is refused, and whether its fields repeat. */
function connection(): (text: string) => { sent: string; repeats: boolean; end: number; framing: string } {
  const before = new RepeatedFields();
  return (text) => {
    const bytes = Buffer.from(text, "latin1");
    const refusal = parseRequestHead(head, bytes, 0, bytes.length, before);
    if (refusal !== undefined) return { sent: refusal.reason, repeats: false, end: 0, framing: "" };
    forwardRepeated(head, before, origin, "app.internal", out);
    return { sent: out.take().toString("latin1"), repeats: head.repeats, end: head.end, framing: head.framing };
  };
}

function alone(text: string): { sent: string; end: number; framing: string } {
  const bytes = Buffer.from(text, "latin1");
  const refusal = parseRequestHead(head, bytes, 0, bytes.length);
  if (refusal !== undefined) return { sent: refusal.reason, end: 0, framing: "" };
  forwardRequestHead(head, origin, "app.internal", out);
  return { sent: out.take().toString("latin1"), end: head.end, framing: head.framing };
}

const FIELDS =
  "Host: app\r\nAccept: */*\r\nConnection: keep-alive, X-Own\r\nX-Own: 1\r\nX-Forwarded-For: forged\r\n\r\n";

test("the same fields repeat, whatever the method and the target are", () => {
  const ask = connection();
  expect(ask(`GET /a HTTP/1.1\r\n${FIELDS}`).repeats).toBe(false);
  for (const line of ["GET /a", "DELETE /b?c=%zz", "OPTIONS *", `GET /${"x".repeat(500)}`]) {
    const text = `${line} HTTP/1.1\r\n${FIELDS}`;
    expect(ask(text)).toEqual({ ...alone(text), repeats: true });
  }
});

test.each([
  ["an octet differs", "GET / HTTP/1.1", FIELDS.replace("*/*", "*/+")],
  ["an octet is missing", "GET / HTTP/1.1", FIELDS.replace("*/*", "*/")],
  ["a line more", "GET / HTTP/1.1", `A: 1\r\n${FIELDS}`],
  ["HTTP/1.0", "GET / HTTP/1.0", FIELDS],
  ["an absolute-form target, whose authority wins", "GET http://other/ HTTP/1.1", FIELDS],
])("they don't repeat: %s", (_name, line, fields) => {
  const ask = connection();
  ask(`GET / HTTP/1.1\r\n${FIELDS}`);
  const text = `${line}\r\n${fields}`;
  expect(ask(text)).toEqual({ ...alone(text), repeats: false });
});

test.each([
  ["a body of some length", "Host: a\r\nContent-Length: 5\r\n\r\n"],
  ["a body in chunks", "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["the wish to close", "Host: a\r\nConnection: close\r\n\r\n"],
  ["the wish for another protocol", "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
  ["an expectation", "Host: a\r\nExpect: 100-continue\r\n\r\n"],
  ["more than is kept", `Host: a\r\nX: ${"x".repeat(KEPT_AT_MOST)}\r\n\r\n`],
])("nothing is kept of a request with %s", (_name, fields) => {
  const ask = connection();
  for (let count = 0; count < 3; count++) expect(ask(`POST / HTTP/1.1\r\n${fields}`).repeats).toBe(false);
});

test("refused is refused, with kept fields and without", () => {
  const ask = connection();
  ask(`GET / HTTP/1.1\r\n${FIELDS}`);
  for (const line of ["GET  / HTTP/1.1", "GET / HTTP/1.2", "TRACE / HTTP/1.1", "CONNECT app:443 HTTP/1.1"])
    expect(ask(`${line}\r\n${FIELDS}`)).toMatchObject(alone(`${line}\r\n${FIELDS}`));
});

test("fields that cut short what was kept aren't taken for it", () => {
  const ask = connection();
  ask(`GET / HTTP/1.1\r\n${FIELDS}`);
  const text = "GET / HTTP/1.1\r\nHost: app\r\n\r\nAccept: */*\r\nConnection: keep-alive, X-Own\r\nX-Own: 1\r\n\r\n";
  expect(ask(text)).toEqual({ ...alone(text), repeats: false });
});

test("after fields that don't repeat, others are kept in the end", () => {
  const ask = connection();
  for (let count = 0; count < 20; count++) ask(`GET / HTTP/1.1\r\nHost: a\r\nX-Count: ${count}\r\n\r\n`);
  const repeats = Array.from({ length: 20 }, () => ask(`GET / HTTP/1.1\r\n${FIELDS}`).repeats);
  expect(repeats).toContain(true);
  expect(repeats.lastIndexOf(false)).toBeLessThan(repeats.indexOf(true));
});

test("property: on a connection every request becomes what it becomes alone", () => {
  const fields = fc.constantFrom(
    FIELDS,
    FIELDS.toLowerCase(),
    "Host: b\r\n\r\n",
    "Host: b \r\n\r\n",
    "Host: b\r\nContent-Length: 0\r\n\r\n",
    "Host: b\r\nContent-Length: 3\r\n\r\n",
    "Host: b\r\nConnection: close\r\n\r\n",
    "Host: b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "Host: b\r\nExpect: 100-continue\r\n\r\n",
    "Host: b\r\nTransfer-Encoding: chunked\r\n\r\n",
    "Host: b\r\nHost: b\r\n\r\n",
    "X: 1\r\n\r\n",
  );
  const lines = fc.constantFrom(
    "GET / HTTP/1.1",
    "POST /x HTTP/1.1",
    "GET / HTTP/1.0",
    "GET http://other/ HTTP/1.1",
    "GET /",
  );
  const requests = fc.array(fc.tuple(lines, fields, fc.constantFrom("", "GET / HTTP/1.1\r\nHost: next\r\n\r\n")));
  fc.assert(
    fc.property(requests, (all) => {
      const ask = connection();
      for (const [line, section, rest] of all) {
        const text = `${line}\r\n${section}${rest}`;
        expect(ask(text)).toMatchObject(alone(text));
      }
    }),
    { numRuns: 500 },
  );
});
