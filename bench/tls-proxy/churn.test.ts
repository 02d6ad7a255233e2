import { expect, test } from "vitest";
import { growthOf } from "./churn.ts";

test("memory that is taken at the start is no growth", () => {
  expect(growthOf([10, 30, 50, 50, 50, 50, 50, 50])).toBe(1);
});

test("memory that goes on growing is told by the last quarter against the second", () => {
  expect(growthOf([10, 20, 30, 40, 50, 60, 70, 80])).toBeCloseTo(75 / 35);
});
