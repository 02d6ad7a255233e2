import { afterEach, expect, test, vi } from "vitest";
import { httpDate } from "./http-date.ts";

afterEach(() => void vi.useRealTimers());

test("the time is in HTTP's format, and of this second", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(1994, 10, 6, 8, 49, 37, 999) });
  expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
  vi.advanceTimersByTime(1);
  expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:38 GMT");
});

test("a clock that is set back is believed", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2030, 0, 1) });
  expect(httpDate()).toBe("Tue, 01 Jan 2030 00:00:00 GMT");
  vi.setSystemTime(Date.UTC(2029, 11, 31, 23, 59, 59));
  expect(httpDate()).toBe("Mon, 31 Dec 2029 23:59:59 GMT");
});
