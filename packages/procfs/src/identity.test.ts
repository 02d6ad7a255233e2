import { expect, test } from "vitest";
import { procTree } from "../fixtures/tree.ts";
import { identify, isSame, stillRunning } from "./identity.ts";

test("a process is its pid and its start time", () => {
  using tree = procTree([{ pid: 42, startTime: 1000 }]);
  expect(identify(42, tree.root)).toEqual({ pid: 42, startTime: 1000 });
  expect(identify(43, tree.root)).toBe(undefined);
});

test("another process with the same pid is another process", () => {
  using before = procTree([{ pid: 42, startTime: 1000 }]);
  using after = procTree([{ pid: 42, startTime: 1001 }]);
  const identity = { pid: 42, startTime: 1000 };
  expect(stillRunning(identity, before.root)).toBe(true);
  expect(stillRunning(identity, after.root)).toBe(false);
  expect(isSame(identity, { pid: 42, startTime: 1001 })).toBe(false);
  expect(isSame(identity, { pid: 43, startTime: 1000 })).toBe(false);
});

test("a zombie can be identified but isn't running", () => {
  using tree = procTree([{ pid: 42, state: "Z", startTime: 7 }]);
  expect(identify(42, tree.root)).toEqual({ pid: 42, startTime: 7 });
  expect(stillRunning({ pid: 42, startTime: 7 }, tree.root)).toBe(false);
});
