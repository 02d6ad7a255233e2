import fc from "fast-check";

/** Text of the given characters. */
export const textOf = (characters: string, limits: fc.StringConstraints) =>
  fc.string({ unit: fc.constantFrom(...characters.split("")), ...limits });

const FIELD_CHARACTERS = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet))
  .filter((character) => character >= " " && character !== "\x7f")
  .join("");

/** Visible characters, obs-text, and blanks within (RFC 9110 §5.5). */
export const fieldValue = fc
  .oneof(
    { weight: 5, arbitrary: textOf(FIELD_CHARACTERS, { maxLength: 40 }) },
    { weight: 2, arbitrary: textOf('a \t,;="', { maxLength: 20 }) },
    { weight: 1, arbitrary: fc.nat(7_000).map((length) => "v".repeat(length)) },
  )
  .map((value) => value.replaceAll(/^[ \t]+|[ \t]+$/g, ""));

/** What may stand before and behind a value. */
export const blank = fc.constantFrom("", " ", "\t", "  \t ");

/** Of a body. One kind would be a message of its own, if somebody took the body's start or end to be elsewhere. */
export const octets = fc
  .oneof(
    { weight: 5, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1_000, maxLength: 40_000, size: "max" }) },
    { weight: 2, arbitrary: fc.constant(Buffer.from("0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n")) },
    { weight: 1, arbitrary: fc.constant(Buffer.from("0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) },
  )
  .map((bytes) => Buffer.from(bytes).toString("latin1"));

/** A body, and how it is written behind a head with these framing fields. */
export interface WrittenBody {
  readonly body: string;
  readonly framing: string;
  readonly written: string;
}

export const byLength: fc.Arbitrary<WrittenBody> = octets.map((body) => ({
  body,
  framing: `Content-Length: ${body.length}\r\n`,
  written: body,
}));

const extension = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fc.constantFrom(";", ";a", ";a=b", ';a="b;c"', "; a = b", ";\t\xff") },
);

const trailer = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fieldValue.map((value) => `X-Trailer: ${value}\r\n`) },
);

/** The size as hexadecimal digits, in either case, with zeros before it. */
const sizeLine = (size: number) =>
  fc.tuple(fc.nat(3), fc.boolean(), extension).map(([zeros, upper, more]) => {
    const digits = size.toString(16);
    return `${"0".repeat(zeros)}${upper ? digits.toUpperCase() : digits}${more}\r\n`;
  });

const chunkOf = (data: string) => sizeLine(data.length).map((line) => `${line}${data}\r\n`);

export const chunked: fc.Arbitrary<WrittenBody> = fc
  .tuple(octets, fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 6 }))
  .chain(([body, sizes]) =>
    fc.tuple(fc.constant(body), fc.tuple(...cut(body, sizes).map(chunkOf)), sizeLine(0), trailer),
  )
  .map(([body, chunks, last, fields]) => ({
    body,
    framing: "Transfer-Encoding: chunked\r\n",
    written: `${chunks.join("")}${last}${fields}\r\n`,
  }));

/** Pieces of these sizes, and what is left; none is empty. */
export function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let position = 0;
  for (const size of [...sizes, text.length]) {
    if (position < text.length) pieces.push(text.slice(position, position + size));
    position += size;
  }
  return pieces;
}
