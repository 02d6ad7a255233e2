import { X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { identityOf } from "../../src/certificates/client-identity.ts";
import { openssl } from "./handshake.ts";
import { issue, path } from "./judged-clients.ts";
import type { Wanted } from "./pki.ts";

test("names in a certificate that are made to be misread name nobody else", async () => {
  const identity = async (wanted: Wanted) => identityOf(new X509Certificate((await issue(wanted)).cert));
  expect(await identity({ names: ["good.test, DNS:evil.test"] })).toMatchObject({ dnsNames: [] });
  expect(await identity({ uris: ["http://x/, URI:spiffe://a.test/admin"], names: ["x.test"] })).toMatchObject({
    uris: [],
    dnsNames: ["x.test"],
  });
  expect(await identity({ names: ["good.test\0.evil.test", 'a"b.test', "b.test"] })).toMatchObject({
    dnsNames: ["b.test"],
  });
  expect(await identity({ subject: [{ CN: ["admin"] }, { CN: ["web"] }] })).toMatchObject({ commonName: undefined });
  expect((await identity({ subject: [{ CN: ["a + b"], OU: ["c"] }] })).subject).toMatch(
    /^(CN=a \\\+ b\+OU=c|OU=c\+CN=a \\\+ b)$/,
  );
  expect(await identity({ subject: [{ O: ["x\nCN=admin"] }] })).toMatchObject({
    commonName: undefined,
    subject: expect.stringMatching(/^O=x\\0ACN\\?=admin$/),
  });
  expect(await identity({ subject: [{ CN: ["admin\0x"] }] })).toMatchObject({ commonName: undefined });
  expect(await identity({ subject: [{ CN: ["Zoë, the first"] }, { OU: ["a+b"] }] })).toMatchObject({
    commonName: "Zoë, the first",
    subject: "OU=a\\+b,CN=Zo\\C3\\AB\\, the first",
  });
});

test("a subject is written as openssl writes it for RFC 2253", async () => {
  const subject = [{ C: ["DE"] }, { O: [" Ü+x "] }, { OU: ["a,b;c"] }, { OU: ['<#"\\>'] }, { CN: ["Zoë=1#\t"] }];
  const { cert } = await issue({ subject });
  await writeFile(path("odd.pem"), cert);
  const { stdout } = await openssl(["x509", "-in", path("odd.pem"), "-noout", "-subject", "-nameopt", "RFC2253"]);
  expect(`subject=${identityOf(new X509Certificate(cert)).subject}\n`).toBe(stdout);
});

test.each(["brainpoolP256r1", "secp256k1"])("a key on %s is read as others are", async (curve) => {
  const { cert } = await issue({ curve, subject: [{ CN: ["web"] }], names: ["web.test"] });
  expect(identityOf(new X509Certificate(cert))).toMatchObject({ commonName: "web", dnsNames: ["web.test"] });
});
