import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { validateYaml } from "./validate-yaml.ts";

const check = (text: string) => validateYaml(Buffer.from(text));

test.each([
  ["an empty file", ""],
  ["several documents", "a: 1\n---\nb: 2\n...\n"],
  ["a tag that only the app knows", "a: !include other.yaml\n"],
  ["anchors and aliases", "a: &x {b: 1}\nc: *x\n"],
  ["aliases that would expand to billions", bomb()],
  ["a byte order mark", "\uFEFFa: 1\n"],
])("%s passes", (_name, text) => {
  expect(check(text)).toBeUndefined();
});

test.each([
  ["a tab as indentation", "a:\n\tb: secret\n", 2],
  ["a second document that is broken", "a: 1\n---\nb: [secret\n", 4],
  ["a key that comes twice", "secret: 1\nb: 2\nsecret: 3\n", 3],
  ["an alias without an anchor", "a: 1\nb: *secret\n", 2],
  ["a mapping within a scalar", "a: b: secret\n", 1],
])("%s is refused with its line, and nothing of it is quoted", (_name, text, line) => {
  const finding = check(text);
  expect(finding?.line).toBe(line);
  expect(finding?.reason).toMatch(/^[a-z -]+$/);
  expect(finding?.reason).not.toContain("secret");
});

test("a document that is nested too deeply is refused, not a crash", () => {
  expect(check("[".repeat(50_000))).toBeDefined();
});

test("every JSON value written as YAML passes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(check(stringify(value))).toBeUndefined();
    }),
  );
});

function bomb(): string {
  const lines = Array.from({ length: 30 }, (_, index) => `l${index + 1}: &l${index + 1} [*l${index}, *l${index}]`);
  return ["l0: &l0 [x, x]", ...lines].join("\n");
}
