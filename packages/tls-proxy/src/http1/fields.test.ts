import fc from "fast-check";
import { expect, test } from "vitest";
import { FieldKind } from "./field-kind.ts";
import { Fields, INCOMPLETE, type Manner, TOO_MANY_FIELDS, readFields } from "./fields.ts";

const fields = new Fields();

function read(text: string, manner: Manner = "strict"): number | string {
  fields.reset(Buffer.from(text, "latin1"));
  return readFields(fields, 0, text.length, manner);
}

const shown = () =>
  Array.from({ length: fields.count }, (_, index) => [fields.name(index), fields.value(index)] as const);

test("lines become names and values without the white space around; what follows the empty line isn't read", () => {
  const text = "Host: app\r\nX-One:\t 1 2 \t\r\nX-Empty:\r\nX-Obs: \xff\r\n\r\n";
  expect(read(`${text}rest`)).toBe(text.length);
  expect(shown()).toEqual([
    ["host", "app"],
    ["x-one", "1 2"],
    ["x-empty", ""],
    ["x-obs", "\xff"],
  ]);
  expect(fields.clean).toBe(true);
});

test("what is there of a kind is known: the first one, and whether there are more", () => {
  read("X: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nHost: app\r\n\r\n");
  expect([fields.find(FieldKind.setCookie), fields.repeats(FieldKind.setCookie)]).toEqual([1, true]);
  expect([fields.find(FieldKind.host), fields.repeats(FieldKind.host)]).toEqual([3, false]);
  expect([fields.find(FieldKind.expect), fields.has(FieldKind.expect)]).toEqual([-1, false]);
  read("\r\n");
  expect([fields.count, fields.has(FieldKind.host)]).toEqual([0, false]);
});

test.each([
  ["X-A: 1\n\r\n", "LF without CR"],
  ["X-A: 1\r\r\n", "CR stands without LF"],
  ["X-A: 1\r\n\rX", "CR stands without LF"],
  ["\n", "LF without CR"],
  ["X-A: a\0b\r\n\r\n", "control character"],
  ["X-A: a\x7fb\r\n\r\n", "control character"],
  ["X-A: a\vb\r\n\r\n", "control character"],
  [" X-A: 1\r\n\r\n", "obs-fold"],
  ["X-A: 1\r\n\t2\r\n\r\n", "obs-fold"],
  ["X-A : 1\r\n\r\n", "white space stands before"],
  ["X A: 1\r\n\r\n", "white space stands before"],
  [": 1\r\n\r\n", "has no name"],
  ["X-A\r\n\r\n", "has no colon"],
  ["X-\xe4: 1\r\n\r\n", "not allowed"],
  ["X(A): 1\r\n\r\n", "not allowed"],
  ['"X": 1\r\n\r\n', "not allowed"],
])("%j is refused: %s", (text, reason) => {
  expect(read(text)).toContain(reason);
});

test("100 lines pass, 101 don't", () => {
  expect(read(`${"X: 1\r\n".repeat(100)}\r\n`)).toBe(602);
  expect(read(`${"X: 1\r\n".repeat(101)}\r\n`)).toBe(TOO_MANY_FIELDS);
});

test("of an app LF alone and white space before the colon are understood, and known as not clean; nothing more", () => {
  expect(read("Server : old\nX-A: 1\r\n\n", "lenient")).toBe(22);
  expect(shown()).toEqual([
    ["server", "old"],
    ["x-a", "1"],
  ]);
  expect(fields.clean).toBe(false);
  expect(read("X-A: 1\r2\n\n", "lenient")).toContain("CR stands without LF");
  expect(read("X A: 1\n\n", "lenient")).toContain("white space");
  expect(read("X-A: 1\n 2\n\n", "lenient")).toContain("obs-fold");
  expect(read("X-A: \0\n\n", "lenient")).toContain("control character");
});

const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const value = fc.stringMatching(/^([\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff\t]{0,30}[\x21-\x7e\x80-\xff])?)?$/);
const blank = fc.stringMatching(/^[ \t]{0,3}$/);
const lines = fc.array(fc.tuple(name, blank, value, blank), { maxLength: 12 });

test("whatever may stand in lines is read as it is, and every beginning of it is incomplete", () => {
  fc.assert(
    fc.property(lines, fc.constantFrom<Manner>("strict", "lenient"), (written, manner) => {
      const text = `${written.map(([one, before, two, behind]) => `${one}:${before}${two}${behind}\r\n`).join("")}\r\n`;
      expect(read(text, manner)).toBe(text.length);
      expect(shown()).toEqual(written.map(([one, , two]) => [one.toLowerCase(), two]));
      for (let length = 0; length < text.length; length++) expect(read(text.slice(0, length), manner)).toBe(INCOMPLETE);
    }),
    { numRuns: 50 },
  );
});

test("strictly read lines are their own source: nothing but names, values and white space is between them", () => {
  const octet = fc.constantFrom("a", "B", ":", " ", "\t", "\r", "\n", "\r\n", "\0", "_", "\xff", "X: 1\r\n");
  fc.assert(
    fc.property(fc.array(octet, { maxLength: 30 }), (octets) => {
      const text = octets.join("");
      const end = read(text);
      if (typeof end === "string" || end === INCOMPLETE) return;
      expect(text.slice(0, end)).toMatch(/^([^\s:\0]+:[ \t]*[^\r\n\0]*\r\n)*\r\n$/);
      expect(text.slice(0, end).split("\r\n")).toHaveLength(fields.count + 2);
    }),
    { numRuns: 2_000 },
  );
});
