import fc from "fast-check";
import { expect, test } from "vitest";
import { median, spread } from "./statistics.ts";

test("the median is the value in the middle, or the mean of the two there", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([10, 1, 2, 3])).toBe(2.5);
  expect(() => median([])).toThrow(RangeError);
});

test("as many values lie below the median as above", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const middle = median(values);
      const count = (is: (value: number) => boolean) => values.filter(is).length;
      expect(count((value) => value < middle)).toBeLessThanOrEqual(values.length / 2);
      expect(count((value) => value > middle)).toBeLessThanOrEqual(values.length / 2);
    }),
  );
});

test("a spread is the median, the smallest and the largest", () => {
  expect(spread([61, 45, 48])).toBe("48 (45–61)");
  expect(spread([1.26, 1.24], 1)).toBe("1.3 (1.2–1.3)");
});
