import fc from "fast-check";
import { expect, test } from "vitest";
import type { CertificatePair } from "./certificate.ts";
import { ServerNames } from "./server-names.ts";

function pair(fingerprint: string, keyType: string, ...names: string[]): CertificatePair {
  const dates = { notBefore: new Date(0), notAfter: new Date(1) };
  return {
    source: { subject: "" },
    cert: "",
    key: "",
    digest: "",
    subject: "",
    fingerprint,
    keyType,
    signature: "",
    names,
    addresses: [],
    ...dates,
  };
}
const ids = (offer: readonly CertificatePair[] | undefined) => offer?.map(({ fingerprint }) => fingerprint);

const names = new ServerNames([
  pair("default", "ec", "a.test"),
  pair("wild", "ec", "*.b.test", "b.test"),
  pair("exact", "rsa", "x.b.test"),
  pair("late", "ec", "a.test"),
  pair("sibling", "rsa", "a.test", "*.b.test"),
]);

test.each([
  ["a.test", ["default", "sibling"]],
  ["A.TEST", ["default", "sibling"]],
  ["b.test", ["wild"]],
  ["y.b.test", ["wild", "sibling"]],
  ["x.b.test", ["exact"]],
  ["z.y.b.test", undefined],
  [".b.test", undefined],
  ["test", undefined],
  ["", undefined],
  ["xa.test", undefined],
])("%s is served with %j", (name, expected) => {
  expect(ids(names.find(name))).toEqual(expected);
});

test("the default is the first certificate, with one of each other type of key for the same name", () => {
  expect(ids(names.fallback)).toEqual(["default", "sibling"]);
  expect(ids(new ServerNames([pair("nameless", "ec"), pair("other", "rsa", "a.test")]).fallback)).toEqual(["nameless"]);
});

test("whatever is found is for the name, itself or by one wildcard label, and has one certificate a type of key", () => {
  const name = fc
    .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 })
    .chain((labels) => fc.constantFrom(labels.join("."), `*.${labels.join(".")}`));
  const any = fc.record({ type: fc.constantFrom("ec", "rsa"), names: fc.array(name, { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 6 }), name, (certificates, wanted) => {
      const [first, ...others] = certificates.map((one, index) => pair(`${index}`, one.type, ...one.names));
      if (first === undefined) return;
      const found = new ServerNames([first, ...others]).find(wanted);
      const wildcard = wanted.includes(".") ? `*${wanted.slice(wanted.indexOf("."))}` : wanted;
      const anyExact = [first, ...others].some((one) => one.names.includes(wanted));
      const anyWild = [first, ...others].some((one) => one.names.includes(wildcard));
      expect(found !== undefined).toBe(anyExact || anyWild);
      expect(found?.every((one) => one.names.includes(anyExact ? wanted : wildcard)) ?? true).toBe(true);
      expect(new Set(found?.map(({ keyType }) => keyType)).size).toBe(found?.length ?? 0);
    }),
  );
});
