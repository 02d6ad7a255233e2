import fc from "fast-check";
import { expect, test } from "vitest";
import { secureCookie } from "./secure-cookie.ts";

test.each([
  ["a=1", "a=1; Secure"],
  ["a=1; Path=/; HttpOnly", "a=1; Path=/; HttpOnly; Secure"],
  ["a=1;", "a=1;; Secure"],
  ["secure=1", "secure=1; Secure"],
  ["a=1; Insecure", "a=1; Insecure; Secure"],
  ["a=1; Secure2=1", "a=1; Secure2=1; Secure"],
  ["a=1; X=Secure", "a=1; X=Secure; Secure"],
  ['a="x Secure"', 'a="x Secure"; Secure'],
  ["a=caf\xe9\xff; Path=/", "a=caf\xe9\xff; Path=/; Secure"],
  ["a=1; \xa0Secure", "a=1; \xa0Secure; Secure"],
])("%j gets it", (value, expected) => {
  expect(secureCookie(value)).toBe(expected);
});

test.each([
  "a=1; Secure",
  "a=1;secure",
  "a=1;\t SECURE \t; Path=/",
  "a=1; Secure=false",
  "a=1; Secure =",
  "__Host-a=1; Path=/; Secure",
  "__Secure-a=1; Secure; SameSite=None",
  'a="x; Secure"; Path=/; Secure',
  "",
])("%j stays as it is", (value) => {
  expect(secureCookie(value)).toBe(value);
});

test("whatever the app sends, it is kept byte for byte, and a browser sees Secure", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "=", ";", '"', " ", "\t", "\xe9", "Secure", "secure") });
  fc.assert(
    fc.property(text, (value) => {
      const result = secureCookie(value);
      expect(result.startsWith(value)).toBe(true);
      expect(secureCookie(result)).toBe(result);
      if (value !== "") expect(seenByBrowser(result)).toContain("secure");
    }),
  );
});

/** The names of the attributes, by the algorithm of RFC 6265 §5.2. */
function seenByBrowser(value: string): string[] {
  const names: string[] = [];
  let rest = value.includes(";") ? value.slice(value.indexOf(";")) : "";
  while (rest !== "") {
    rest = rest.slice(1);
    const end = rest.includes(";") ? rest.indexOf(";") : rest.length;
    const attribute = rest.slice(0, end);
    rest = rest.slice(end);
    const name = attribute.includes("=") ? attribute.slice(0, attribute.indexOf("=")) : attribute;
    names.push(name.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase());
  }
  return names;
}
