import fc from "fast-check";
import { expect, test } from "vitest";
import { ChunkedDecoder } from "./chunked.ts";
import type { Fields } from "./fields.ts";

interface Decoded {
  data: string;
  trailers: string[];
  /** Octets that were used, or what is wrong. */
  used: number | string;
  ended: boolean;
}

/** Feeds a body in pieces that end at the given places. */
function decode(text: string, ...cuts: number[]): Decoded {
  const decoder = new ChunkedDecoder();
  const decoded: Decoded = { data: "", trailers: [], used: 0, ended: false };
  const sink = {
    data: (bytes: Buffer, start: number, end: number) => void (decoded.data += bytes.toString("latin1", start, end)),
    trailers: (fields: Fields) => {
      for (let index = 0; index < fields.count; index++)
        decoded.trailers.push(`${fields.name(index)}=${fields.value(index)}`);
    },
  };
  const places = [0, ...cuts.toSorted((one, other) => one - other), text.length];
  for (const [index, end] of places.entries()) {
    if (index === 0) continue;
    const start = places[index - 1] ?? 0;
    const used = decoder.decode(Buffer.from(text.slice(start, end), "latin1"), 0, end - start, sink);
    if (typeof used === "string") return { ...decoded, used };
    decoded.used = start + used;
    if (decoder.ended) break;
  }
  return { ...decoded, ended: decoder.ended };
}

const chunk = (data: string, extension = "") => `${data.length.toString(16)}${extension}\r\n${data}\r\n`;

test("chunks become their data, extensions and the framing go, trailers are read", () => {
  const body = `${chunk("hello ")}${chunk("world", ';name="value"')}0\r\nX-Sum: 12\r\nX-More:  a b \r\n\r\n`;
  expect(decode(body)).toEqual({
    data: "hello world",
    trailers: ["x-sum=12", "x-more=a b"],
    used: body.length,
    ended: true,
  });
});

test("what stands behind the last chunk isn't touched", () => {
  expect(decode(`${chunk("a")}0\r\n\r\nGET / HTTP/1.1\r\n`)).toMatchObject({ data: "a", used: 11, ended: true });
});

test("the result is the same wherever the bytes are cut", () => {
  const data = fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom("a", "\r", "\n", "0", ";", "\xff") });
  const body = fc
    .tuple(fc.array(data, { maxLength: 4 }), fc.constantFrom("0\r\n\r\n", "0;x=y\r\n\r\n", "00\r\nX-A: 1\r\n\r\n"))
    .map(([chunks, last]) => ({ data: chunks.join(""), text: chunks.map((one) => chunk(one)).join("") + last }));
  fc.assert(
    fc.property(body, fc.array(fc.nat(400), { maxLength: 6 }), ({ data: expected, text }, cuts) => {
      const decoded = decode(text, ...cuts.map((cut) => cut % text.length));
      expect(decoded).toEqual({ ...decode(text), data: expected, used: text.length, ended: true });
    }),
  );
});

test.each([
  ["no size", "\r\nhello"],
  ["a sign", "+5\r\nhello\r\n"],
  ["a prefix", "0x5\r\nhello\r\n"],
  ["white space before", " 5\r\nhello\r\n"],
  ["white space behind", "5 \r\nhello\r\n"],
  ["a size of 17 digits", "00000000000000005\r\nhello\r\n"],
  ["a size of 2^53", "20000000000000\r\n"],
  ["a size beyond 2^53", "40000000000000\r\n"],
  ["LF alone behind the size", "5\nhello\r\n"],
  ["CR without LF behind the size", "5\rhello\r\n"],
  ["LF in an extension", "5;a\nhello\r\n"],
  ["an extension without an end", `5;${"a".repeat(2000)}`],
  ["more data than the size", "5\r\nhello!\r\n"],
  ["LF alone behind the data", "5\r\nhello\n0\r\n\r\n"],
  ["a trailer without colon", "0\r\nX-A\r\n\r\n"],
  ["a folded trailer", "0\r\nX-A: 1\r\n 2\r\n\r\n"],
  ["LF alone in the trailers", "0\r\nX-A: 1\n\r\n"],
  ["trailers without an end", `0\r\n${"X-A: 1\r\n".repeat(2000)}`],
])("%s is refused, wherever it is cut", (_name, body) => {
  for (let cut = 0; cut < Math.min(body.length, 40); cut++) expect(decode(body, cut).used).toBeTypeOf("string");
});
