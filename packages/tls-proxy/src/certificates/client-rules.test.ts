import fc from "fast-check";
import { expect, test } from "vitest";
import type { ClientIdentity } from "./client-identity.ts";
import { clientRule, isAllowed } from "./client-rules.ts";

const PIN = Buffer.alloc(32, 7).toString("base64");
const nobody: ClientIdentity = {
  subject: "",
  commonName: undefined,
  organizationalUnits: [],
  dnsNames: [],
  uris: [],
  spkiSha256: "",
  fingerprint: "",
  certificate: Buffer.alloc(0),
};
const lets = (rule: string, identity: Partial<ClientIdentity>) =>
  isAllowed({ ...nobody, ...identity }, [clientRule.parse(rule)]);
const spiffe = (rule: string, uri: string) => lets(`uri=spiffe://a.test${rule}`, { uris: [uri] });

test("without rules every client is let in; with several, any is enough", () => {
  expect(isAllowed(nobody, [])).toBe(true);
  const rules = ["cn=web", "ou=shop"].map((rule) => clientRule.parse(rule));
  expect(isAllowed({ ...nobody, organizationalUnits: ["shop"] }, rules)).toBe(true);
  expect(isAllowed(nobody, rules)).toBe(false);
});

test.each<[string, Partial<ClientIdentity>, boolean]>([
  ["cn=web", { commonName: "web" }, true],
  ["cn=web", { commonName: "Web" }, false],
  ["cn=web", { commonName: undefined, dnsNames: ["web"], organizationalUnits: ["web"] }, false],
  ["cn=a=b", { commonName: "a=b" }, true],
  ["ou=shop", { organizationalUnits: ["desk", "shop"] }, true],
  ["ou=shop", { commonName: "shop" }, false],
  ["dns=App.test", { dnsNames: ["app.test"] }, true],
  ["dns=app.test", { dnsNames: ["x.app.test"] }, false],
  ["dns=*.app.test", { dnsNames: ["x.app.test"] }, true],
  ["dns=*.app.test", { dnsNames: ["x.y.app.test", "app.test"] }, false],
  ["dns=*.app.test", { dnsNames: ["xapp.test"] }, false],
  [`spki=sha256/${PIN}`, { spkiSha256: PIN }, true],
  [`spki=sha256/${PIN}`, { spkiSha256: PIN.replace("B", "C") }, false],
])("%s and %j: %s", (rule, identity, expected) => {
  expect(lets(rule, identity)).toBe(expected);
});

test.each([
  ["/ns/x/sa/web", "spiffe://a.test/ns/x/sa/web", true],
  ["/ns/x/sa/web", "spiffe://a.test/ns/x/sa/web/", false],
  ["/ns/x/sa/web", "spiffe://a.test/ns/x/sa/webs", false],
  ["/ns/*/sa/web", "spiffe://a.test/ns/x/sa/web", true],
  ["/ns/*/sa/web", "spiffe://a.test/ns/x/y/sa/web", false],
  ["/ns/*/sa/web", "spiffe://a.test/ns//sa/web", false],
  ["/ns/*/sa/web", "spiffe://a.test/ns/../sa/web", false],
  ["/ns/*/sa/web", "spiffe://a.test/ns/%2e%2e/sa/web", false],
  ["/ns/*/sa/web", "spiffe://a.test/ns/x%2Fy/sa/web", false],
  ["/ns/*", "spiffe://a.test/ns/x?y", false],
  ["/ns/*", "spiffe://a.test/ns/x#y", false],
  ["/ns/*", "spiffe://a.test.evil/ns/x", false],
  ["/ns/*", "spiffe://A.test/ns/x", false],
  ["/ns/*", "https://a.test/ns/x", false],
  ["/ns/**", "spiffe://a.test/ns/x", true],
  ["/ns/**", "spiffe://a.test/ns/x/y/z", true],
  ["/ns/**", "spiffe://a.test/ns", false],
  ["/ns/**", "spiffe://a.test/ns/", false],
  ["/ns/**", "spiffe://a.test/ns/x/../../y", false],
  ["/**", "spiffe://a.test/x", true],
  ["/**", "spiffe://a.test", false],
  ["", "spiffe://a.test", true],
  ["", "spiffe://a.testx", false],
])("uri=spiffe://a.test%s and %s: %s", (rule, uri, expected) => {
  expect(spiffe(rule, uri)).toBe(expected);
});

test.each([
  "web",
  "",
  "cn=",
  "CN=web",
  "constructor=x",
  "dns=a b",
  "dns=x.*.test",
  "dns=*",
  "uri=a.test",
  "uri=spiffe://*/x",
  "uri=spiffe://a.test/x*",
  "uri=spiffe://a.test/**/x",
  "uri=spiffe://a.test/***",
  "uri=spiffe://a.test/x?y",
  "uri=spiffe://a.test/ü",
  "spki=sha1/AAAA",
  "spki=sha256/AAAA",
  `spki=${PIN}`,
])("%j is no rule", (rule) => {
  expect(() => clientRule.parse(rule)).toThrow(RangeError);
});

test("a URI matches a pattern of its own with any segments replaced by *, and with its end replaced by **", () => {
  const segment = fc.stringMatching(/^[a-z0-9._-]{1,6}$/).filter((text) => !/^\.\.?$/.test(text));
  fc.assert(
    fc.property(fc.array(fc.tuple(segment, fc.boolean()), { minLength: 1 }), fc.nat(), (parts, cut) => {
      const uri = `spiffe://a.test/${parts.map(([text]) => text).join("/")}`;
      const pattern = parts.map(([text, wild]) => (wild ? "*" : text));
      expect(spiffe(`/${pattern.join("/")}`, uri)).toBe(true);
      expect(spiffe(`/${[...pattern.slice(0, cut % parts.length), "**"].join("/")}`, uri)).toBe(true);
      expect(spiffe(`/${[...pattern, "*"].join("/")}`, uri)).toBe(false);
    }),
  );
});
