import { expect, test } from "vitest";
import { SharedConditions } from "./shared-conditions.ts";

/** What the one condition was told, in order. */
function shared(): { conditions: SharedConditions; told: string[] } {
  const told: string[] = [];
  const conditions = new SharedConditions({
    condition: (name) => ({
      ok: () => void told.push(`${name} ok`),
      degraded: (reason) => void told.push(`${name} degraded ${reason}`),
      failed: (reason) => void told.push(`${name} failed ${reason}`),
    }),
  });
  return { conditions, told };
}

test("of several processes the worst counts, and of equals that of the lowest number", () => {
  const { conditions, told } = shared();
  const [first, second] = [conditions.of(1).condition("app"), conditions.of(2).condition("app")];
  second.degraded("away from 2");
  first.degraded("away from 1");
  second.failed("gone");
  second.ok();
  first.ok();
  expect(told).toEqual([
    "app degraded away from 2",
    "app degraded away from 1",
    "app failed gone",
    "app degraded away from 1",
    "app ok",
  ]);
});

test("what a process that has ended reported is forgotten", () => {
  const { conditions, told } = shared();
  conditions.of(1).condition("app").ok();
  conditions.of(2).condition("app").degraded("away");
  conditions.forget(2);
  expect(told.at(-1)).toBe("app ok");
  conditions.of(1).condition("certificate").degraded("refused");
  conditions.forget(1);
  expect(told.slice(-2).toSorted()).toEqual(["app ok", "certificate ok"]);
});
