import { expect, test } from "vitest";
import { PillionError, UsageError, defineErrors, describeFault, messageOf, systemCode } from "./errors.ts";

const errors = defineErrors({ KEY_UNREADABLE: "A key file can't be read." });

test("a message says subject, value, reason and remedy", () => {
  expect(describeFault({ subject: "--key", value: "/k", reason: "no such file", remedy: "Name another" })).toBe(
    '--key "/k": no such file. Name another',
  );
  expect(describeFault({ subject: "--key", reason: "is missing" })).toBe("--key: is missing");
});

test("a value with control characters can't break the line", () => {
  expect(describeFault({ subject: "--key", value: "a\nb\u001b[31m", reason: "no" })).toBe(
    '--key "a\\nb\\u001b[31m": no',
  );
});

test("credentials never reach a message", () => {
  const url = "https://me:hunter2@host/?token=hunter2";
  const error = errors.KEY_UNREADABLE({ subject: url, value: url, reason: `at ${url}`, remedy: `Not ${url}` });
  expect(error.message).not.toContain("hunter2");
  expect(error.message).toContain(": at https://[redacted]@host/?token=[redacted]");
  expect(messageOf(new Error(url))).not.toContain("hunter2");
  expect(messageOf(url)).not.toContain("hunter2");
});

test("an error has a stable code, its meaning for the manual, and what led to it", () => {
  const cause = Object.assign(new Error("permission denied"), { code: "EACCES" });
  const error = errors.KEY_UNREADABLE({ subject: "--key", reason: "can't be read", cause });
  expect(error).toBeInstanceOf(PillionError);
  expect(error).toMatchObject({ code: "KEY_UNREADABLE", name: "PillionError", cause });
  const { code, meaning } = errors.KEY_UNREADABLE;
  expect({ code, meaning }).toEqual({ code: "KEY_UNREADABLE", meaning: "A key file can't be read." });
  expect(messageOf(error)).toBe("--key: can't be read (permission denied)");
  expect(systemCode(cause)).toBe("EACCES");
});

test("the message of a chain names every link, whatever was thrown", () => {
  expect(messageOf(new Error("a", { cause: new Error("b", { cause: "c" }) }))).toBe("a (b (c))");
  expect([messageOf("text"), messageOf(7), messageOf(undefined)]).toEqual(["text", "7", "undefined"]);
});

test("a system error that the message names already is not told again", () => {
  const cause = Object.assign(new Error("ENOENT: no such file or directory, open '/k'"), { code: "ENOENT" });
  const naming = errors.KEY_UNREADABLE({ subject: "--key", value: "/k", reason: "can't be read (ENOENT)", cause });
  expect(messageOf(naming)).toBe('--key "/k": can\'t be read (ENOENT)');
  const other = errors.KEY_UNREADABLE({ subject: "--key", reason: "can't be read (EACCES)", cause });
  expect(messageOf(other)).toMatch(/\(EACCES\) \(ENOENT: no such file/);
  expect(messageOf(new Error("f()", { cause: new Error("why") }))).toBe("f() (why)");
});

test("an error without a cause doesn't carry an empty one", () => {
  expect("cause" in errors.KEY_UNREADABLE({ subject: "x", reason: "y" })).toBe(false);
});

test("a usage error lists its problems one a line", () => {
  const error = new UsageError("topz", ["a: wrong", "b: wrong"]);
  expect(error).toMatchObject({ code: "USAGE", name: "UsageError", problems: ["a: wrong", "b: wrong"] });
  expect(error.message).toBe("topz: a: wrong\nb: wrong");
});

test("what has no system code has none", () => {
  expect([systemCode(new Error("x")), systemCode("ENOENT"), systemCode(undefined)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(systemCode(Object.assign(new Error("x"), { code: 7 }))).toBeUndefined();
});
