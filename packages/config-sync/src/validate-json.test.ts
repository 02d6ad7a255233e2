import fc from "fast-check";
import { expect, test } from "vitest";
import { validateJson } from "./validate-json.ts";

const check = (text: string) => validateJson(Buffer.from(text));

test.each([
  ["", 1, 1, "it ends where a value is expected"],
  ["hello", 1, 1, "a value is expected"],
  ["\uFEFF{}", 1, 1, "a value is expected"],
  ['{\n  "a": 1,\n}', 3, 1, "a name is expected"],
  ['{\n  "a" 1}', 2, 7, ": is expected"],
  ['{"a": 1 "b": 2}', 1, 9, ", or } is expected"],
  ["[1, 2", 1, 6, "it ends where , or ] is expected"],
  ["[1,]", 1, 4, "a value is expected"],
  ["{} {}", 1, 4, "nothing more is expected"],
  ['{"a": "secret', 1, 14, "it ends within a string"],
  ['["a\nb"]', 1, 4, "a line break or control character within a string"],
  ['["\\x41"]', 1, 3, "an escape that JSON doesn't have"],
  ["[01]", 1, 2, "a value or ] is expected"],
  ["[1.]", 1, 2, "a value or ] is expected"],
  ["[tru]", 1, 2, "a value or ] is expected"],
  ["[NaN]", 1, 2, "a value or ] is expected"],
  ["{'a': 1}", 1, 2, "a name or } is expected"],
  ["[}", 1, 2, "a value or ] is expected"],
])("%j is refused at %i:%i: %s", (text, line, column, reason) => {
  expect(check(text)).toEqual({ line, column, reason });
});

test("bytes that are not UTF-8 are refused with their line", () => {
  expect(validateJson(Buffer.from('{\n"a": "\xff"}', "latin1"))).toEqual({
    line: 2,
    column: 1,
    reason: "not text in UTF-8",
  });
});

test("every JSON value passes, however it is laid out", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, "\t"), (value, indent) => {
      expect(check(JSON.stringify(value, null, indent))).toBeUndefined();
    }),
  );
});

test("damaged JSON is refused exactly when JSON.parse refuses it, and the place is always found", () => {
  const damage = fc.constantFrom("", ",", "}", "]", "{", "[", '"', ":", "1", "\\", "\n", "-", "e", "x");
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), fc.nat(3), damage, (value, at, cut, put) => {
      const whole = JSON.stringify(value, null, 1);
      const offset = at % (whole.length + 1);
      const text = whole.slice(0, offset) + put + whole.slice(offset + cut);
      const finding = check(text);
      expect(finding !== undefined).toBe(isRefused(text));
      expect(finding?.reason).not.toBe("not JSON");
    }),
    { numRuns: 2_000 },
  );
});

test("a document nested a hundred thousand deep is no problem", () => {
  expect(check("[".repeat(100_000))).toMatchObject({ column: 100_001 });
});

function isRefused(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}
