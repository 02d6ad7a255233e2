import fc from "fast-check";
import { expect, test } from "vitest";
import { redact } from "./redact.ts";

test.each([
  ["https://user:hunter2@host/path", "https://[redacted]@host/path"],
  ["https://user:p@ss@host/", "https://[redacted]@host/"],
  ["https://ghp_abc@github.com/a/b.git", "https://[redacted]@github.com/a/b.git"],
  ["two: ssh://a:b@one and postgres://c:d@two/db", "two: ssh://[redacted]@one and postgres://[redacted]@two/db"],
  ["https://host/?token=abc&page=2", "https://host/?token=[redacted]&page=2"],
  ["/hook?page=2&client_secret=abc#top", "/hook?page=2&client_secret=[redacted]#top"],
  ["https://host/?X-Amz-Signature=ff&api_key=abc", "https://host/?X-Amz-Signature=[redacted]&api_key=[redacted]"],
  ['got "https://host/?key=abc": refused', 'got "https://host/?key=[redacted]": refused'],
])("takes the credentials out of %s", (text, shown) => expect(redact(text)).toBe(shown));

test.each([
  "https://host:8443/path@v2?page=2#me@here",
  "git@github.com:owner/repo.git",
  "mail to someone@example.com",
  "/search?monkey=1&author=me&tokens=5",
  "",
])("leaves %j as it is", (text) => expect(redact(text)).toBe(text));

test("a password of whatever characters a URL allows never shows", () => {
  const character = fc.constantFrom(..."abcXYZ019-._~!$&'()*+,;=:@%".split(""));
  fc.assert(
    fc.property(fc.array(character, { minLength: 1 }), (characters) => {
      expect(redact(`https://user:>${characters.join("")}@host/x`)).toBe("https://[redacted]@host/x");
    }),
  );
});

test("it stays quick on texts made to be slow", () => {
  const started = performance.now();
  for (const hostile of ["a".repeat(50_000), "a-".repeat(30_000), "?token-".repeat(10_000), "a://".repeat(10_000)]) {
    redact(hostile);
  }
  expect(performance.now() - started).toBeLessThan(1_000);
});
