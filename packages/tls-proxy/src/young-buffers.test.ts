import { PerformanceObserver, constants } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { countBuffer } from "./young-buffers.ts";

const RECORD = 16 * 1024;

/** Collections of each kind while a gigabyte passes in buffers of a TLS record each, some at a time as sockets give them. */
async function collections(seen: (length: number) => void): Promise<{ major: number; minor: number }> {
  const found = { major: 0, minor: 0 };
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as unknown as { detail: { kind: number } }[])
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) found.minor++;
      else if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) found.major++;
  });
  observer.observe({ entryTypes: ["gc"] });
  for (let round = 0; round < 1024; round++) {
    for (let count = 0; count < 64; count++) seen(new ArrayBuffer(RECORD).byteLength);
    await delay();
  }
  observer.disconnect();
  return found;
}

test("buffers that are counted are collected young, and the whole heap isn't marked for them", async () => {
  const left = await collections(() => {});
  const counted = await collections(countBuffer);
  expect(left.major).toBeGreaterThan(5);
  expect(counted.major).toBeLessThan(left.major / 2);
  expect(counted.minor).toBeGreaterThan(100);
});
