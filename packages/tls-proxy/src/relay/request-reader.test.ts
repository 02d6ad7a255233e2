import fc from "fast-check";
import { expect, test } from "vitest";
import { RequestHead } from "../http1/request-head.ts";
import { RequestReader } from "./request-reader.ts";

interface Read {
  /** Request lines, in order, and what was refused at last. */
  readonly requests: string[];
  status?: number;
  /** Octets that were given when it was refused. */
  given: number;
  rest: string;
}

/** Reads requests without bodies from a text that comes in pieces. */
function read(pieces: readonly string[]): Read {
  const [reader, head] = [new RequestReader(), new RequestHead()];
  const result: Read = { requests: [], given: 0, rest: "" };
  for (const piece of pieces) {
    result.given += piece.length;
    let more = Buffer.from(piece, "latin1");
    while (more.length > 0) {
      const rest = reader.read(head, more);
      if (rest === undefined) break;
      if ("status" in rest) return { ...result, status: rest.status };
      result.requests.push(`${head.method} ${head.target}`);
      more = Buffer.from(rest);
    }
  }
  result.rest = reader.isReading ? "partial" : "";
  return result;
}

const one = "GET /one HTTP/1.1\r\nHost: app\r\nX: 1\r\n\r\n";
const two = "HEAD /two HTTP/1.1\r\nHost: app\r\n\r\n";

test.each([
  ["one", one, ["GET /one"]],
  ["two in a row", one + two, ["GET /one", "HEAD /two"]],
  ["an empty line before each (RFC 9112 §2.2)", `\r\n${one}\r\n${two}`, ["GET /one", "HEAD /two"]],
])("%s: the same wherever the bytes are cut", (_name, text, requests) => {
  for (let cut = 0; cut <= text.length; cut++)
    expect(read([text.slice(0, cut), text.slice(cut)])).toMatchObject({ requests, rest: "" });
  expect(read(text.split(""))).toMatchObject({ requests, rest: "" });
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (cuts) => {
      const places = [0, ...cuts.toSorted((left, right) => left - right), text.length];
      expect(read(places.map((place, index) => text.slice(place, places[index + 1])))).toMatchObject({ requests });
    }),
  );
});

test("a beginning is known as one", () => {
  expect(read(["GET /one HTTP/1.1\r\nHo"])).toMatchObject({ requests: [], rest: "partial" });
  expect(read([one, "G"])).toMatchObject({ requests: ["GET /one"], rest: "partial" });
});

test("two empty lines before a request are one too many", () => {
  for (let cut = 0; cut < 6; cut++) {
    const text = `\r\n\r\n${one}`;
    expect(read([text.slice(0, cut), text.slice(cut)]).status).toBe(400);
  }
});

test.each([
  ["NUL", "GET / HTTP/1.1\r\nHost: a\0", "pp\r\n"],
  ["a bare LF", "GET / HTTP/1.1\r\nHost: app\n", "X: 1\r\n"],
  ["a bare CR", "GET / HTTP/1.1\r\nHost: app\rX", ": 1\r\n"],
  ["a bare LF in the request line", "GET / HTTP/1.1\n", "Host: app\r\n"],
])("%s is refused as soon as it is there, wherever the bytes are cut", (_name, wrong, more) => {
  for (let cut = 0; cut <= wrong.length; cut++) {
    const { status, given } = read([wrong.slice(0, cut), wrong.slice(cut), more]);
    expect({ status, given }).toEqual({ status: 400, given: wrong.length });
  }
  const { status, given } = read((wrong + more).split(""));
  expect({ status, given }).toEqual({ status: 400, given: wrong.length });
});

const LIMIT = 32 * 1024;
/** A head of so many octets. */
const headOf = (length: number) => {
  const fixed = "GET / HTTP/1.1\r\nHost: app\r\nX: \r\n\r\n";
  return fixed.replace("X: ", `X: ${"x".repeat(length - fixed.length)}`);
};

test.each([
  ["at once", (text: string) => [text]],
  ["in pieces", (text: string) => text.match(/[^]{1,1000}/g) ?? []],
])("a head of 32 KiB passes, one octet more is 431, %s", (_name, cut) => {
  expect(read(cut(headOf(LIMIT))).requests).toEqual(["GET /"]);
  expect(read(cut(headOf(LIMIT + 1))).status).toBe(431);
});

test("a head without an end is 431 as soon as it is too long; a target without an end is 414", () => {
  const pieces = (text: string) => text.match(/[^]{1,1000}/g) ?? [];
  const endless = read(pieces(`GET / HTTP/1.1\r\nHost: app\r\n${"X: 1\r\n".repeat(20_000)}`));
  expect(endless.status).toBe(431);
  expect(endless.given).toBeLessThan(LIMIT + 1001);
  const target = read(pieces(`GET /${"a".repeat(100_000)}`));
  expect(target.status).toBe(414);
  expect(target.given).toBeLessThan(LIMIT + 1001);
});

test("a target of 16 KiB passes, one octet more is 414", () => {
  const target = (length: number) => `GET /${"a".repeat(length - 1)} HTTP/1.1\r\nHost: app\r\n\r\n`;
  expect(read([target(16 * 1024)]).requests).toHaveLength(1);
  expect(read([target(16 * 1024 + 1)]).status).toBe(414);
});
