import { expect, test } from "vitest";
import { BodyPace } from "./body-pace.ts";
import { DEFAULT_LIMITS } from "./relay-options.ts";

const limits = { ...DEFAULT_LIMITS, minBodyRate: 100, bodyRateWindow: 10_000, stallTimeout: 30_000 };

function pace(more: Partial<typeof limits> = {}): BodyPace {
  const begun = new BodyPace({ ...limits, ...more });
  begun.begin(0);
  return begun;
}

test("a body at the least rate is taken, one octet less in the window is refused", () => {
  expect(pace().judge(10_000, 1_000, true)).toBeUndefined();
  expect(pace().judge(10_000, 999, true)).toMatchObject({ status: 408, reason: "its body comes too slowly" });
});

test("each window is measured by itself", () => {
  const one = pace();
  expect(one.judge(10_000, 50_000, true)).toBeUndefined();
  expect(one.judge(20_000, 50_999, true)).toMatchObject({ status: 408 });
});

test("time in which the client can't send isn't held against it", () => {
  const one = pace();
  expect(one.judge(60_000, 10, false)).toBeUndefined();
  expect(one.judge(69_999, 10, true)).toBeUndefined();
  expect(one.judge(70_000, 10, true)).toMatchObject({ status: 408 });
});

test("without a least rate a body may pause, but not for ever", () => {
  const one = pace({ minBodyRate: 0 });
  expect(one.judge(1_000, 10, true)).toBeUndefined();
  expect(one.judge(31_000, 10, true)).toBeUndefined();
  expect(one.judge(31_001, 10, true)).toMatchObject({ status: 408, reason: "nothing more of its body came" });
});

test("a body that comes by drops never stalls", () => {
  const one = pace({ minBodyRate: 0 });
  for (let second = 0; second < 200; second++) expect(one.judge(second * 1_000, second >> 4, true)).toBeUndefined();
});

test("nothing is refused where nothing is limited", () => {
  const one = pace({ minBodyRate: 0, stallTimeout: 0 });
  for (let second = 0; second < 200; second++) expect(one.judge(second * 1_000, 0, true)).toBeUndefined();
});
