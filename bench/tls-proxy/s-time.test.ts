import { expect, test } from "vitest";
import { parseSTime, whatIsWrong } from "./s-time.ts";

const full = `Collecting connection statistics for 1 seconds
****

4 connections in 0.60s; 6.67 connections/user sec, bytes read 4676
4 connections in 2 real seconds, 1169 bytes read per connection
`;
const resumed = full.replaceAll("****", "rrrr");

test("each mark of s_time is a handshake: a star is a full one, an r a resumed one", () => {
  expect(parseSTime(full)).toEqual({ count: 4, full: 4, resumed: 0, bytes: 1169 });
  expect(parseSTime(resumed)).toEqual({ count: 4, full: 0, resumed: 4, bytes: 1169 });
});

test("output that stops before the end is no result", () => {
  expect(() => parseSTime("Collecting connection statistics for 1 seconds\n****")).toThrow(
    /came to no end: .*\*\*\*\*/s,
  );
});

test("handshakes of one kind, each with a whole answer, count", () => {
  expect(whatIsWrong(parseSTime(full), "full")).toBeUndefined();
  expect(whatIsWrong(parseSTime(resumed), "resumed")).toBeUndefined();
});

test("a handshake of the other kind is told and doesn't count", () => {
  expect(whatIsWrong(parseSTime(full.replace("****", "**r*")), "full")).toBe("1 of 4 handshakes weren't full");
  expect(whatIsWrong(parseSTime(full), "resumed")).toBe("4 of 4 handshakes weren't resumed");
});

test("an answer without its body, or with another, is told and doesn't count", () => {
  expect(whatIsWrong(parseSTime(full.replace("1169 bytes", "145 bytes")), "full")).toBe("an answer had 145 bytes");
  expect(whatIsWrong(parseSTime(full.replace("1169 bytes", "4000 bytes")), "full")).toBe("an answer had 4000 bytes");
});
