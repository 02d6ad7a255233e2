import fc from "fast-check";
import { expect, test } from "vitest";
import { Outgoing } from "../http1/outgoing.ts";
import { RequestHead, parseRequestHead } from "../http1/request-head.ts";
import { COPIED_AT_MOST, RequestBody } from "./request-body.ts";

/** Passes a body on that comes in pieces. @returns what the app gets */
function pass(fields: string, text: string, cuts: readonly number[] = []) {
  const head = new RequestHead();
  const bytes = Buffer.from(`POST / HTTP/1.1\r\nHost: app\r\n${fields}\r\n\r\n`);
  expect(parseRequestHead(head, bytes, 0, bytes.length)).toBeUndefined();
  const out = new Outgoing();
  const body = new RequestBody(out);
  body.begin(head);
  const sent: Buffer[] = [];
  const target = { write: (piece: Buffer) => sent.push(Buffer.from(piece)) > 0 };
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((one, other) => one - other), text.length];
  let left = "";
  for (const [index, start] of places.entries()) {
    const piece = Buffer.from(text.slice(start, places[index + 1] ?? text.length), "latin1");
    if (piece.length === 0) continue;
    if (body.ended) left += piece.toString("latin1");
    else {
      const used = body.read(piece, target);
      if (typeof used === "string") return { wrong: used, body };
      if (out.length > 0) sent.push(out.take());
      left += piece.toString("latin1", used);
    }
  }
  return { sent: Buffer.concat(sent).toString("latin1"), left, body };
}

const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`;
/** The data of chunks. */
const data = (chunked: string) => {
  let [text, found] = [chunked, ""];
  for (;;) {
    const [line = "", size = "0"] = /^([0-9a-f]+)\r\n/.exec(text) ?? [];
    const length = Number.parseInt(size, 16);
    if (length === 0) return { found, rest: text };
    found += text.slice(line.length, line.length + length);
    text = text.slice(line.length + length + 2);
  }
};

test("a body with a length goes on byte for byte, and what follows it stays, wherever it is cut", () => {
  const size = fc.oneof(fc.nat(100), fc.constantFrom(COPIED_AT_MOST - 1, COPIED_AT_MOST, COPIED_AT_MOST + 1, 50_000));
  fc.assert(
    fc.property(size, fc.array(fc.nat(60_000), { maxLength: 5 }), (length, cuts) => {
      const text = Array.from({ length }, (_, index) => String.fromCharCode(index % 251)).join("");
      const { sent, left, body } = pass(`Content-Length: ${length}`, `${text}GET /`, cuts);
      expect(sent === text && left === "GET /").toBe(true);
      expect([body.ended, body.length]).toEqual([true, length]);
    }),
    { numRuns: 60 },
  );
});

test("a chunked body stays chunked with its data and trailers, without extensions, wherever it is cut", () => {
  const pieces = fc.array(fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom("a", "\r", "\n", "0") }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(400), { maxLength: 6 }), fc.boolean(), (chunks, cuts, hasTrailers) => {
      const trailers = hasTrailers ? "X-Sum: 12\r\n" : "";
      const text = `${chunks.map((one) => chunk(one).replace("\r\n", ";x=y\r\n")).join("")}0\r\n${trailers}\r\n`;
      const { sent = "", left, body } = pass("Transfer-Encoding: chunked", `${text}GET /`, cuts);
      expect(data(sent)).toEqual({ found: chunks.join(""), rest: `0\r\n${trailers}\r\n` });
      expect([left, body.ended, body.length]).toEqual(["GET /", true, chunks.join("").length]);
    }),
  );
});

test("no trailer frames, routes or says where a request came from (RFC 9110 §6.5.1)", () => {
  const fields = [
    "Content-Length: 5",
    "transfer_encoding: chunked",
    "Host: evil",
    "X-Forwarded-For: 6.6.6.6",
    "Client_Cert: x",
  ];
  const { sent } = pass("Transfer-Encoding: chunked", `0\r\nX-Sum: 1\r\n${fields.join("\r\n")}\r\nX-End: 2\r\n\r\n`);
  expect(sent).toBe("0\r\nX-Sum: 1\r\nX-End: 2\r\n\r\n");
});

test("what isn't a chunk is told of", () => {
  expect(pass("Transfer-Encoding: chunked", "5\r\nhello!").wrong).toMatch(/longer than its size/);
});
