import { expect, test } from "vitest";
import { NO_MARKS, type Marks, committed, notified, published, quarantined } from "./marks.ts";
import { type Generation, nextStep } from "./next-step.ts";

const old: Generation = { name: "..000001-aa", content: "aa" };
const fresh: Generation = { name: "..000002-bb", content: "bb" };
const app = { pid: 7, startTime: 70 };

const proven = committed(notified(NO_MARKS, old.name, app), old.name);
const told = notified(proven, fresh.name, app);
const dead = quarantined(told, fresh.content, "it died");

const table: readonly [string, Generation | undefined, Marks, string][] = [
  ["nothing is published yet", undefined, NO_MARKS, "rest"],
  ["a first generation is published", old, NO_MARKS, "tell"],
  ["the app was told of it", old, notified(NO_MARKS, old.name, app), "watch"],
  ["nobody was there to be told", old, notified(NO_MARKS, old.name, null), "watch"],
  ["the app lives with it", old, proven, "rest"],
  ["the next is published", fresh, proven, "tell"],
  ["the app was told of the next", fresh, told, "watch"],
  ["the app lives with the next", fresh, committed(told, fresh.name), "rest"],
  ["the app died of the next", fresh, dead, "go back"],
  ["the old one is back", old, dead, "tell"],
  ["the app was told of the old one again", old, notified(dead, old.name, app), "watch"],
  ["the app lives with the old one again", old, committed(notified(dead, old.name, app), old.name), "rest"],
  ["it died of the only one", old, { ...notified(NO_MARKS, old.name, app), failed: "it died" }, "watch"],
];

test.each(table)("when %s", (_situation, generation, marks, step) => {
  expect(nextStep({ published: generation, marks, tells: true })).toBe(step);
});

test("without an app to tell, what is published is committed, and then nothing is pending", () => {
  expect(nextStep({ published: old, marks: NO_MARKS, tells: false })).toBe("commit");
  expect(nextStep({ published: old, marks: committed(NO_MARKS, old.name), tells: false })).toBe("rest");
});

test("going back needs something to go back to", () => {
  const marks = quarantined(NO_MARKS, old.content, "it died");
  expect(nextStep({ published: old, marks, tells: true })).toBe("tell");
});

test("a generation that is told again has to prove itself again", () => {
  expect(notified(proven, old.name, app).committed).toBeUndefined();
});

test("a new generation ends what was lost before", () => {
  expect(published({ ...proven, failed: "it died" })).toEqual(proven);
});

test("the quarantine forgets the oldest", () => {
  let marks = NO_MARKS;
  for (let content = 0; content < 150; content++) marks = quarantined(marks, `c${content}`, "it died");
  expect(Object.keys(marks.quarantined)).toHaveLength(100);
  expect(marks.quarantined["c149"]).toBe("it died");
  expect(marks.quarantined["c49"]).toBeUndefined();
});
