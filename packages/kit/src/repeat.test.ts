import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Condition } from "./health.ts";
import { repeat } from "./repeat.ts";

let told: string[];
let stop: AbortController;
const health: Condition = {
  ok: () => told.push("ok"),
  degraded: (reason) => told.push(reason),
  failed: (reason) => told.push(`failed: ${reason}`),
};
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const looping = (period: number, work: () => Promise<void>, more: { maxFailures?: number; cap?: number } = {}) =>
  repeat(period, { signal: stop.signal, health, ...more }, work);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0);
  told = [];
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  vi.useRealTimers();
});

test("work is done at once and again a period after each round", async () => {
  let rounds = 0;
  void looping(1_000, async () => {
    rounds++;
    await new Promise((resolve) => setTimeout(resolve, 300));
  });
  await pass(0);
  expect(rounds).toBe(1);
  await pass(1_299);
  expect(rounds).toBe(1);
  await pass(1);
  expect(rounds).toBe(2);
  expect(told).toEqual(["ok"]);
});

test("a failure is reported and waits grow until the cap; success resets them", async () => {
  const times: number[] = [];
  let healthy = false;
  void looping(
    10_000,
    async () => {
      times.push(Date.now());
      if (!healthy) throw new Error("refused", { cause: new Error("ECONNREFUSED") });
    },
    { cap: 4_000 },
  );
  await pass(7_500);
  const waits = times.slice(1).map((time, index) => time - Number(times[index]));
  expect(waits).toEqual([500, 1_000, 2_000, 2_000, 2_000]);
  expect(new Set(told)).toEqual(new Set(["refused (ECONNREFUSED)"]));
  healthy = true;
  await pass(2_000);
  expect(told.at(-1)).toBe("ok");
  const before = times.length;
  await pass(9_999);
  expect(times).toHaveLength(before);
  await pass(1);
  expect(times).toHaveLength(before + 1);
});

test("work that throws before it waits is a failure like any other", async () => {
  void looping(1_000, () => {
    throw new Error("at once");
  });
  await pass(0);
  expect(told).toEqual(["at once"]);
});

test("a period of nothing still backs off after failures", async () => {
  void looping(0, () => Promise.reject(new Error("no")));
  await pass(1_000);
  expect(told.length).toBeLessThan(5);
});

test("now() ends the pause, and during work asks for another round", async () => {
  let rounds = 0;
  let finish = () => {};
  const loop = looping(60_000, () => {
    rounds++;
    return new Promise((resolve) => (finish = resolve));
  });
  await pass(0);
  loop.now();
  loop.now();
  finish();
  await pass(0);
  expect(rounds).toBe(2);
  finish();
  await pass(1_000);
  expect(rounds).toBe(2);
  loop.now();
  await pass(0);
  expect(rounds).toBe(3);
});

test("now() doesn't wait for the back-off to end", async () => {
  let rounds = 0;
  const loop = looping(60_000, () => Promise.reject(new Error(String(++rounds))));
  await pass(0);
  loop.now();
  await pass(0);
  expect(told).toEqual(["1", "2"]);
});

test("abort during the pause ends the loop at once and leaves no timer", async () => {
  const loop = looping(60_000, async () => {});
  await pass(10);
  stop.abort();
  await expect(loop).resolves.toBeUndefined();
  expect(vi.getTimerCount()).toBe(0);
  loop.now();
  expect(told).toEqual(["ok"]);
});

test("abort during work waits for the work, and what it throws then is no failure", async () => {
  let ended = false;
  const loop = looping(
    1_000,
    () =>
      new Promise((_resolve, reject) =>
        stop.signal.addEventListener("abort", () => {
          setTimeout(() => reject(stop.signal.reason), 50);
        }),
      ),
  );
  void loop.then(() => (ended = true));
  await pass(10);
  stop.abort();
  await pass(49);
  expect(ended).toBe(false);
  await pass(1);
  expect(ended).toBe(true);
  expect(told).toEqual([]);
});

test("an aborted signal does no work", async () => {
  stop.abort();
  await looping(1, async () => expect.unreachable());
});

test("after too many failures in a row it gives up with the last error", async () => {
  let round = 0;
  const work = async () => {
    if (++round !== 2) throw new Error(`failure ${round}`);
  };
  const loop = looping(10, work, { maxFailures: 3 });
  await Promise.all([expect(loop).rejects.toThrow("failure 5"), pass(1_000)]);
  expect(told).toEqual(["failure 1", "ok", "failure 3", "failure 4", "failure 5"]);
});

test("a period longer than any timer doesn't become none", async () => {
  let rounds = 0;
  void looping(2 ** 40, async () => void rounds++);
  await pass(86_400_000);
  expect(rounds).toBe(1);
});

test("given the whole of health it has a condition of its own", async () => {
  const condition = vi.fn<(name: string) => Condition>(() => health);
  void repeat(1_000, { signal: stop.signal, health: { condition } }, async () => {});
  await pass(0);
  expect(condition).toHaveBeenCalledWith("loop");
  expect(told).toEqual(["ok"]);
});
