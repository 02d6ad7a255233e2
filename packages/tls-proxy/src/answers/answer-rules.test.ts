import { expect, test } from "vitest";
import { type AnswerOptions, answerRules, applyAnswerRules } from "./answer-rules.ts";

const app = { host: "127.0.0.1", port: 8080 };
const rules = (options: Partial<AnswerOptions> = {}) =>
  answerRules({ hsts: undefined, hstsIncludeSubdomains: false, repair: "all", app, ...options });

test("by default cookies and locations are repaired, nothing else is touched and nothing added", () => {
  const { rewrites, additions } = rules();
  expect(rewrites("set-cookie")?.("a=1", "app.test")).toBe("a=1; Secure");
  for (const name of ["location", "content-location"]) {
    expect(rewrites(name)?.("http://localhost:8080/x", "app.test")).toBe("https://app.test/x");
  }
  for (const name of ["content-type", "Set-Cookie", "__proto__", "constructor"]) expect(rewrites(name)).toBeUndefined();
  expect(additions).toEqual([]);
});

test("either repair can be had alone, or none", () => {
  const repaired = (repair: AnswerOptions["repair"]) =>
    ["set-cookie", "location"].filter((name) => rules({ repair }).rewrites(name));
  expect(repaired("cookies")).toEqual(["set-cookie"]);
  expect(repaired("location")).toEqual(["location"]);
  expect(repaired("none")).toEqual([]);
});

test.each([
  [365 * 86_400_000, false, "max-age=31536000"],
  [1_500, true, "max-age=1; includeSubDomains"],
  [0, false, "max-age=0"],
])("HSTS of %s ms", (hsts, hstsIncludeSubdomains, value) => {
  expect(rules({ hsts, hstsIncludeSubdomains }).additions).toEqual([
    { name: "Strict-Transport-Security", lowerCaseName: "strict-transport-security", value },
  ]);
});

test("the app's fields keep their order and case; HSTS comes last, and the app's own word goes first", () => {
  const all = rules({ hsts: 60_000 });
  const fields = ["X-A", "Location", "LOCATION", "http://app.test/", "Set-Cookie", "a=1", "set-cookie", "b=2; Secure"];
  const expected = [
    "X-A",
    "Location",
    "LOCATION",
    "https://app.test/",
    "Set-Cookie",
    "a=1; Secure",
    "set-cookie",
    "b=2; Secure",
  ];
  expect(applyAnswerRules(fields, "app.test", all)).toEqual([...expected, "Strict-Transport-Security", "max-age=60"]);
  const own = ["STRICT-transport-security", "max-age=5"];
  expect(applyAnswerRules(own, "app.test", all)).toEqual(own);
  expect(applyAnswerRules([], "app.test", rules())).toEqual([]);
});
