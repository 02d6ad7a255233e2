import { expect, test } from "vitest";
import { canonicalHostName, hostNameProblem } from "./host-names.ts";
import { nameConstraints, permits } from "./name-constraints.ts";

test.each(["localhost", "app.test", "*.app.test", "xn--bcher-kva.example", "a".repeat(63), "127.0.0.1", "fe80::1"])(
  "%s may stand in a certificate",
  (name) => {
    expect(hostNameProblem(name)).toBeUndefined();
  },
);

test.each([
  "",
  "app..test",
  "-app.test",
  "app-.test",
  "a b",
  "bücher.example",
  "app.test:443",
  "https://app.test",
  "*.*.test",
  "*",
  "a".repeat(64),
  "a.".repeat(127),
])("%j may not", (name) => {
  expect(hostNameProblem(name)).toMatch(/is neither|longer/);
});

test("one spelling for comparisons", () => {
  expect(["App.Test", "FD00:0::1", "::FFFF:1.2.3.4"].map(canonicalHostName)).toEqual([
    "app.test",
    "fd00::1",
    "::ffff:102:304",
  ]);
});

test("constraints permit a name and its subdomains, an address alone, and nothing that merely ends alike", () => {
  const constraints = nameConstraints(["app.test", "*.wild.test", "10.0.0.1", "fd00::1"]);
  const permitted = (names: string[]) => names.map((name) => permits(constraints, name));
  expect(permitted(["app.test", "a.b.app.test", "*.app.test", "x.wild.test", "10.0.0.1", "fd00::1"])).not.toContain(
    false,
  );
  expect(permitted(["test", "notapp.test", "app.test.evil", "10.0.0.2", "fd00::2", "localhost"])).not.toContain(true);
});

test("more names than fit into a short length", () => {
  const names = Array.from({ length: 200 }, (_, index) => `host-${index}.app.test`);
  const constraints = nameConstraints(names);
  expect(constraints.readUInt16BE(2)).toBe(constraints.length - 4);
  expect(permits(constraints, "host-199.app.test")).toBe(true);
});
