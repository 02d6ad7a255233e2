import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { batch } from "./batch.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("calls close together end in one", () => {
  const done = vi.fn<() => void>();
  const { add } = batch({ quiet: 100, atMost: 2_000 }, done);
  add();
  vi.advanceTimersByTime(99);
  add();
  vi.advanceTimersByTime(99);
  expect(done).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(done).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(5_000);
  expect(done).toHaveBeenCalledOnce();
});

test("what never comes to rest is not put off for longer than the limit", () => {
  const done = vi.fn<() => void>();
  const { add } = batch({ quiet: 100, atMost: 2_000 }, done);
  for (let time = 0; time < 4_100; time += 50) {
    add();
    vi.advanceTimersByTime(50);
  }
  expect(done).toHaveBeenCalledTimes(2);
});

test("after close nothing comes", () => {
  const done = vi.fn<() => void>();
  const { add, close } = batch({ quiet: 100, atMost: 2_000 }, done);
  add();
  close();
  vi.advanceTimersByTime(5_000);
  expect(done).not.toHaveBeenCalled();
});
