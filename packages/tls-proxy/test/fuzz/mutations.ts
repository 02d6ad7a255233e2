import fc from "fast-check";

const place = fc.double({ min: 0, max: 1, noNaN: true });
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** Octets with a meaning to somebody who reads HTTP or TLS. */
const MEANINGFUL = "\0\t\n\r :;,/0123456789abcdef\x14\x15\x16\x17\x7f\x80\xff".split("");

type Mutation = (text: string, other: string) => string;

const flip = fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, bits]): Mutation => (text) => {
  const position = positionOf(text, at);
  const octet = String.fromCharCode((text.charCodeAt(position) ^ bits) & 0xff);
  return text.slice(0, position) + octet + text.slice(position + 1);
});

const insertion = fc
  .tuple(place, fc.oneof(fc.constantFrom(...MEANINGFUL), fc.uint8Array({ minLength: 1, maxLength: 30 }).map(latin1)))
  .map(([at, more]): Mutation => (text) => {
    const position = positionOf(text, at);
    return text.slice(0, position) + more + text.slice(position);
  });

const deletion = fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(([at, length]): Mutation => (text) => {
  const position = positionOf(text, at);
  return text.slice(0, position) + text.slice(position + length);
});

/** The beginning of one, the end of another. */
const splice = fc.tuple(place, place).map(
  ([at, from]): Mutation =>
    (text, other) =>
      text.slice(0, positionOf(text, at)) + other.slice(positionOf(other, from)),
);

const truncation = place.map(
  (at): Mutation =>
    (text) =>
      text.slice(0, positionOf(text, at)),
);

const repetition = fc
  .tuple(place, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 2, max: 40 }))
  .map(([at, length, times]): Mutation => (text) => {
    const position = positionOf(text, at);
    return (
      text.slice(0, position) + text.slice(position, position + length).repeat(times) + text.slice(position + length)
    );
  });

const positionOf = (text: string, at: number): number => Math.floor(at * text.length);

const mutation = fc.oneof(flip, insertion, deletion, splice, truncation, repetition);

/** A text of latin1 from valid ones, damaged in up to three ways; some are left as they are. */
export const mutated = (valid: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(valid, valid, fc.array(mutation, { maxLength: 3 }))
    .map(([text, other, mutations]) => mutations.reduce((damaged, mutate) => mutate(damaged, other), text));
