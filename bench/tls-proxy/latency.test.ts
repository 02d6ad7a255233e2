import { expect, test } from "vitest";
import { parseLog, percentile } from "./latency.ts";

test("h2load's log becomes milliseconds in order", () => {
  expect([...parseLog("1790000000000000\t200\t1500\n1790000000000100\t200\t250\n")]).toEqual([0.25, 1.5]);
});

test("a request that wasn't answered by 200 makes the log worthless", () => {
  expect(() => parseLog("1790000000000000\t-1\t1500\n")).toThrow(/answered by -1/);
});

test("a percentile is a value that occurred", () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);
  expect([0.5, 0.99, 0.999].map((share) => percentile(hundred, share))).toEqual([50, 99, 100]);
  expect(() => percentile(new Float64Array(), 0.5)).toThrow(RangeError);
});
