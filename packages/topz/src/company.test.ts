import { expect, test } from "vitest";
import { Company } from "./company.ts";

test("topz is alone where it sees no other process", () => {
  const company = new Company(1);
  expect(company.isAlone([1])).toBe(true);
  expect(company.isAlone([1])).toBe(true);
});

test("others are company from the first sample on, whatever topz's own pid is", () => {
  expect(new Company(7).isAlone([1, 7, 12])).toBe(false);
});

test("a probe that comes and goes is no company", () => {
  const company = new Company(1);
  expect([[1], [1, 20], [1], [1, 31], [1, 40]].map((pids) => company.isAlone(pids))).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
});

test("an app that starts later is company when it is seen twice, until it is gone", () => {
  const company = new Company(1);
  expect([[1], [1, 20], [1, 20], [1]].map((pids) => company.isAlone(pids))).toEqual([true, true, false, true]);
});
