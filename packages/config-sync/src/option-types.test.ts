import { expect, test } from "vitest";
import { notification, processSelector, source } from "./option-types.ts";

test("a signal is written with or without SIG, and shown without", () => {
  expect(notification.parse("signal:HUP")).toBe("SIGHUP");
  expect(notification.parse("signal:SIGUSR1")).toBe("SIGUSR1");
  expect(notification.format?.("SIGHUP")).toBe("signal:HUP");
});

test.each(["", "HUP", "signal:", "signal:hup", "signal:NOPE", "signal:KILL", "signal:STOP", "exec:true"])(
  "%j is no way to tell an app",
  (text) => {
    expect(() => notification.parse(text)).toThrow(RangeError);
  },
);

test("a query is shown as it was written, and one of no known form is refused", () => {
  expect(processSelector.format?.(processSelector.parse("name=app"))).toBe("name=app");
  expect(() => processSelector.parse("app")).toThrow(RangeError);
});

test("a source is shown by its absolute path, and an empty one is refused", () => {
  expect(source.format?.(source.parse("/a/../b"))).toBe("/b");
  expect(() => source.parse("")).toThrow(RangeError);
});
