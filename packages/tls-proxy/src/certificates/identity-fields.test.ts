import { validateHeaderValue } from "node:http";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FieldKind, fieldKindOf } from "../http1/field-kind.ts";
import { identityFields } from "./identity-fields.ts";

const isIdentityField = (name: string) => fieldKindOf(name) === FieldKind.origin;

const identity = {
  subject: "CN=web,O=Example",
  commonName: "web",
  organizationalUnits: [],
  dnsNames: ["a.test", "b.test"],
  uris: ["spiffe://a/b,c", "spiffe://a/d"],
  spkiSha256: "",
  fingerprint: "ab12",
  certificate: Buffer.from("certificate"),
};

const pairsOf = (fields: readonly string[]) =>
  Object.fromEntries(fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1]]] : [])));

test("the certificate goes along as RFC 9440 has it, and in plain words", () => {
  expect(pairsOf(identityFields(identity))).toEqual({
    "Client-Cert": ":Y2VydGlmaWNhdGU=:",
    "X-Client-Cert-Subject": "CN=web,O=Example",
    "X-Client-Cert-DNS": "a.test, b.test",
    "X-Client-Cert-URI": "spiffe://a/b%2Cc, spiffe://a/d",
    "X-Client-Cert-Fingerprint": "ab12",
  });
});

test("what a certificate doesn't have makes no field", () => {
  const fields = pairsOf(identityFields({ ...identity, subject: "", dnsNames: [], uris: [] }));
  expect(Object.keys(fields)).toEqual(["Client-Cert", "X-Client-Cert-Fingerprint"]);
});

test("every field of ours is one that clients can't send", () => {
  const names = Object.keys(pairsOf(identityFields(identity)));
  expect(names.every((name) => isIdentityField(name.toLowerCase()))).toBe(true);
});

test.each([
  "client_cert",
  "client-cert-chain",
  "x-client-cert",
  "x_client_cert_dn",
  "x-ssl-client-s-dn",
  "ssl_client_verify",
])("%s is dropped", (name) => expect(isIdentityField(name)).toBe(true));
test.each(["client-certainly", "x-client", "ssl", "cookie", "x-ssl"])("%s is kept", (name) =>
  expect(isIdentityField(name)).toBe(false),
);

test("any bytes of a certificate make a valid field", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const [name = "", value = ""] = identityFields({ ...identity, certificate: Buffer.from(bytes) });
      validateHeaderValue(name, value);
      expect(Buffer.from(value.slice(1, -1), "base64").equals(Buffer.from(bytes))).toBe(true);
    }),
  );
});
