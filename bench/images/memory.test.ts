import { expect, test } from "vitest";
import { memoryOf, parseSmapsRollup, sum } from "./memory.ts";

const rollup = `00400000-7ffcd969f000 ---p 00000000 00:00 0                              [rollup]
Rss:               62648 kB
Pss:               62606 kB
Pss_Dirty:         16692 kB
Shared_Clean:         80 kB
Shared_Dirty:          0 kB
Private_Clean:     45876 kB
Private_Dirty:     16692 kB
Swap:                  0 kB
`;

test("resident, proportional and private memory are read in bytes", () => {
  expect(parseSmapsRollup(rollup)).toEqual({
    resident: 62_648 * 1024,
    proportional: 62_606 * 1024,
    private: (45_876 + 16_692) * 1024,
  });
});

test("a field that is missing is named, and not taken for zero", () => {
  expect(() => parseSmapsRollup(rollup.replace("Private_Clean", "Other"))).toThrow(/has no Private_Clean/);
});

test("this very process has more resident than private memory, and processes add up", async () => {
  const own = await memoryOf([process.pid]);
  expect(own.private).toBeGreaterThan(0);
  expect(own.resident).toBeGreaterThanOrEqual(own.private);
  expect(sum([own, own]).proportional).toBe(2 * own.proportional);
});
