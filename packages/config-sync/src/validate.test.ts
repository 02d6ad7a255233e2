import { expect, test } from "vitest";
import { validate } from "./validate.ts";

const files = (texts: Readonly<Record<string, string>>) =>
  new Map(Object.entries(texts).map(([path, text]) => [path, { bytes: Buffer.from(text), mode: 0o644 }]));

test("the extension says how a file is checked, in whatever case, and others are not looked at", () => {
  expect(() =>
    validate(files({ "a.json": "{}", "b.yml": "a: 1", "c.XML": "<a/>", "d.ini": "[", json: "{" })),
  ).not.toThrow();
  expect(() => validate(files({ "A.JSON": "{" }))).toThrow(/A\.JSON:1:2/);
  expect(() => validate(files({ "deep/a.yml": "a: [" }))).toThrow(/deep\/a\.yml:1:5/);
});

test("every file that is wrong is named, the first ten of many", () => {
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`f${index}.json`, "x"]));
  expect(() => validate(files(many))).toThrow(
    /f0\.json:1:1: .*, f7\.json:1:1: .* and 2 more\. Correct it in the source/,
  );
});
