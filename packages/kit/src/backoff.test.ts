import fc from "fast-check";
import { expect, test } from "vitest";
import { backoff } from "./backoff.ts";

const failures = fc.integer({ min: 1, max: 10_000 });
const base = fc.integer({ min: 1, max: 10_000 });
const cap = fc.integer({ min: 1, max: 86_400_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("a wait is between half and all of its ceiling, and never above the cap", () => {
  fc.assert(
    fc.property(failures, base, cap, random, (count, from, to, chance) => {
      const ceiling = Math.min(to, from * 2 ** (count - 1));
      const wait = backoff(count, { base: from, cap: to, random: () => chance });
      expect(wait).toBeGreaterThanOrEqual(Math.floor(ceiling / 2));
      expect(wait).toBeLessThanOrEqual(ceiling);
      expect(Number.isSafeInteger(wait)).toBe(true);
    }),
  );
});

test("it doubles with each failure until the cap", () => {
  const waits = [1, 2, 3, 4, 5, 6].map((count) => backoff(count, { base: 1_000, cap: 10_000, random: () => 0 }));
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

test("many that failed together don't come back together", () => {
  const waits = new Set(Array.from({ length: 100 }, () => backoff(5, { base: 1_000, cap: 60_000 })));
  expect(waits.size).toBeGreaterThan(50);
});
