import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { optionTypes } from "./option-type.ts";

const { duration, size, integer, boolean, url, path, string } = optionTypes;

describe("a duration is a sum of parts, in milliseconds", () => {
  test.each([
    ["150ms", 150],
    ["20s", 20_000],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["2d", 172_800_000],
    ["0", 0],
    ["0s", 0],
    ["0.4ms", 0],
  ])("%s", (text, milliseconds) => expect(duration.parse(text)).toBe(milliseconds));

  test.each([
    ["20", "not a duration"],
    ["", "not a duration"],
    ["-1s", "not a duration"],
    ["1 s", "not a duration"],
    ["s", "not a duration"],
    ["1s!", "not a duration"],
    ["5sec", '"sec" is no unit of a duration'],
    ["5MB", '"MB" is no unit of a duration'],
    ["99999999999999d", "too large"],
  ])("%j is none: %s", (text, reason) => expect(() => duration.parse(text)).toThrow(RangeError(reason)));
});

describe("a size is in bytes, by decimal and binary units", () => {
  test.each([
    ["512B", 512],
    ["64KiB", 65_536],
    ["10MB", 10_000_000],
    ["1kB", 1_000],
    ["1.5GiB", 1_610_612_736],
    ["0", 0],
  ])("%s", (text, bytes) => expect(size.parse(text)).toBe(bytes));

  test.each(["64", "64kib", "64K", "1e3B", "NaNB"])("%j is none", (text) =>
    expect(() => size.parse(text)).toThrow(RangeError),
  );
});

test("what is formatted is parsed to the same value", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      expect(duration.parse(duration.format(value))).toBe(value);
      expect(size.parse(size.format(value))).toBe(value);
    }),
  );
});

test("any text is either a value in range or a RangeError", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,5}[a-zA-Z]{0,3}[0-9.]{0,3}[a-z]{0,2}$/));
  fc.assert(
    fc.property(text, fc.constantFrom(duration, size), (written, type) => {
      try {
        expect(type.parse(written)).toSatisfy((value: number) => Number.isSafeInteger(value) && value >= 0);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});

test("a whole number is decimal, signed or not", () => {
  expect(["7", "-7", "+7", "007"].map(integer.parse)).toEqual([7, -7, 7, 7]);
  for (const text of ["", "1.5", "1e3", "0x10", "seven", " 7", "9007199254740993"]) {
    expect(() => integer.parse(text)).toThrow("not a whole number");
  }
});

test("a boolean is spelled out", () => {
  expect([boolean.parse("true"), boolean.parse("false")]).toEqual([true, false]);
  for (const text of ["", "1", "yes", "TRUE"]) expect(() => boolean.parse(text)).toThrow("neither true nor false");
});

test("a URL is absolute and shown without its credentials", () => {
  expect(url.parse("https://example.com/a?b").href).toBe("https://example.com/a?b");
  expect(url.format(url.parse("https://me:hunter2@example.com/"))).toBe("https://[redacted]@example.com/");
  for (const text of ["", "/a", "example.com"]) expect(() => url.parse(text)).toThrow("not an absolute URL");
});

test("a path becomes absolute, a text is whatever isn't empty", () => {
  expect(path.parse("a/../b")).toBe(`${process.cwd()}/b`);
  expect(string.parse(" ")).toBe(" ");
  expect(() => path.parse("")).toThrow("empty");
  expect(() => string.parse("")).toThrow("empty");
});
