import { setImmediate as nextTurn } from "node:timers/promises";
import { getHeapSpaceStatistics } from "node:v8";
import { expect, test } from "vitest";
import { type Garbage, garbageCollector } from "./garbage.ts";

/** Octets of V8's young generation, used or not. */
const young = () => getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? 0;

/** Looks after something that nobody holds, a turn after it was last looked at (ECMAScript, WeakRef objects). */
async function forgotten(): Promise<WeakRef<object>> {
  const reference = new WeakRef({});
  await nextTurn();
  return reference;
}

test.each<Garbage>(["young", "all"])("what nobody holds is gone: %s", async (garbage) => {
  const reference = await forgotten();
  garbageCollector(garbage)();
  expect(reference.deref()).toBeUndefined();
});

test("the young generation shrinks when all is collected, not when it is itself", async () => {
  for (let round = 0; round < 50; round++) Array.from({ length: 50_000 }, () => ({}));
  await nextTurn();
  const before = young();
  garbageCollector("young")();
  expect(young()).toBeGreaterThan(before / 2);
  garbageCollector("all")();
  expect(young()).toBeLessThan(before / 2);
});

test("scripts get no `gc` by it", () => {
  garbageCollector("young")();
  expect(globalThis.gc).toBeUndefined();
});
