import fc from "fast-check";
import { expect, test } from "vitest";
import { BodyReader } from "./body.ts";
import type { Framing } from "./request-head.ts";

/** Reads a text in pieces. @returns the body, and how much of the text belongs to it */
function read(reader: BodyReader, text: string, cuts: readonly number[] = []): { data: string; used: number } {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])].toSorted(
    (one, other) => one - other,
  );
  const result = { data: "", used: 0 };
  const sink = {
    data: (bytes: Buffer, start: number, end: number) => void (result.data += bytes.toString("latin1", start, end)),
    trailers: () => {},
  };
  for (const [index, start] of places.entries()) {
    const end = places[index + 1] ?? text.length;
    const used = reader.read(Buffer.from(`<${text.slice(start, end)}>`, "latin1"), 1, end - start + 1, sink);
    if (typeof used === "string") throw new Error(used);
    result.used = start + used - 1;
    if (reader.ended) break;
  }
  return result;
}

const cases: readonly (readonly [Framing, number, string, string])[] = [
  ["none", 0, "", ""],
  ["length", 5, "hello", "hello"],
  ["chunked", 0, "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"],
];

test.each(cases)("framing %s with length %i: %j holds %j, and what follows stays", (framing, length, text, body) => {
  const reader = new BodyReader();
  fc.assert(
    fc.property(fc.array(fc.nat(200)), fc.constantFrom("", "GET / HTTP/1.1\r\n"), (cuts, behind) => {
      reader.begin(framing, length);
      expect(reader.ended).toBe(text === "");
      expect(read(reader, text + behind, cuts)).toEqual({ data: body, used: text.length });
      expect(reader.ended).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("a body that ends with its connection has no end of its own", () => {
  const reader = new BodyReader();
  reader.begin("close", 0);
  expect(read(reader, "hello", [2])).toEqual({ data: "hello", used: 5 });
  expect([reader.ended, reader.endsByClose]).toEqual([false, true]);
});

test("one body after the other, of any framing, leaves nothing behind", () => {
  const reader = new BodyReader();
  for (const [framing, length, text, body] of [...cases, ...cases.toReversed(), ...cases]) {
    reader.begin(framing, length);
    expect(read(reader, text).data).toBe(body);
  }
});
