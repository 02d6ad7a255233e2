import { expect, test } from "vitest";
import { forEachBounded } from "./bounded.ts";

const numbers = Array.from({ length: 100 }, (_, index) => index);

test("every item is worked on once, and never more than the limit at a time", async () => {
  const seen: number[] = [];
  let running = 0;
  let most = 0;
  await forEachBounded(
    numbers,
    async (item) => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
      seen.push(item);
    },
    { limit: 5 },
  );
  expect(seen.toSorted((a, b) => a - b)).toEqual(numbers);
  expect(most).toBe(5);
});

test("the first failure stops the rest and is thrown when nothing runs any more", async () => {
  let running = 0;
  let started = 0;
  const work = async (item: number) => {
    running++;
    started++;
    await new Promise(setImmediate);
    running--;
    if (item === 7) throw new Error("seven");
  };
  await expect(forEachBounded(numbers, work, { limit: 4 })).rejects.toThrow("seven");
  expect(running).toBe(0);
  expect(started).toBeLessThan(20);
});

test("an aborted signal stops it with the signal's reason", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  const work = () => Promise.reject(new Error("must not be called"));
  await expect(forEachBounded(numbers, work, { signal })).rejects.toThrow("enough");
});
