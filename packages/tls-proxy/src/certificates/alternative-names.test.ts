import { expect, test } from "vitest";
import { alternativeNames } from "./alternative-names.ts";

test.each<[string, string[], string[], string[]?]>([
  ["", [], []],
  ["DNS:app.test", ["app.test"], []],
  [
    "DNS:app.test, DNS:*.b.test, IP Address:127.0.0.1, URI:spiffe://a/b",
    ["app.test", "*.b.test"],
    ["spiffe://a/b"],
    ["127.0.0.1"],
  ],
  ["IP Address:2001:DB8:0:0:0:0:0:1, Registered ID:1.2.3.4, email:a@b.test", [], [], ["2001:db8::1"]],
  ["IP Address:1.2.3, IP Address:<invalid>, IP Address:fe80::1%x", [], []],
  ['DNS:"good.test\\u002c DNS:evil.test"', [], []],
  ['URI:"http://a/,b", DNS:c.test', ["c.test"], ["http://a/,b"]],
  ['othername:"x, DNS:evil.test", DNS:c.test', ["c.test"], []],
  ['DirName:"CN=x, DNS:evil.test"', [], []],
  ['DNS:"nul\\u0000.test"', [], []],
  ['URI:"spiffe://a/\\u00fc"', [], []],
])("%s", (text, dns, uris, addresses = []) => {
  expect(alternativeNames(text)).toEqual({ dns, uris, addresses });
});

test.each([
  'DNS:"open',
  "DNS:a.test,DNS:b.test",
  "DNS:a.test, ",
  "a.test",
  'DNS:a"b',
  'DNS:"\\x"',
  "DNS:a.test, , DNS:b",
])("%s doesn't fit the form, and nothing of it counts", (text) => {
  expect(alternativeNames(text)).toBeUndefined();
});
