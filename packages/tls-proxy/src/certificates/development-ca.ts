import "reflect-metadata";
import { createPrivateKey, randomBytes, webcrypto, X509Certificate as NodeCertificate } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { nameConstraints, permits } from "./name-constraints.ts";

/** A certificate and its private key, both PEM, in one text: so that a file with both can only be replaced as a pair. */
export type PemPair = string;

const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 86_400_000;
const CA_LIFETIME = 3 * 365 * DAY;
const LEAF_LIFETIME = 30 * DAY;
const CLOCK_SKEW = 3_600_000;

/**
 * Makes a development CA that can sign for nothing but `names`: constrained by name (RFC 5280 §4.2.1.10), to server
 * authentication, and to leaves of its own.
 */
export async function makeDevelopmentCa(names: readonly string[], now: Date): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ["sign", "verify"]);
  const serialNumber = serial();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // A second CA of this machine gets another name: verifiers look issuers up by subject.
    name: `CN=Pillion development CA ${serialNumber.slice(0, 8)}`,
    notBefore: new Date(now.getTime() - CLOCK_SKEW),
    notAfter: new Date(now.getTime() + CA_LIFETIME),
    signingAlgorithm: P256,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new Extension(NAME_CONSTRAINTS, true, nameConstraints(names)),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pemPair(certificate, keys.privateKey);
}

/** Signs a server certificate for `names` with a fresh key. The CA's constraints are not asked: verifiers hold them. */
export async function issueLeaf(ca: PemPair, names: readonly string[], now: Date): Promise<PemPair> {
  const issuer = new X509Certificate(certificateOf(ca));
  const keys = await webcrypto.subtle.generateKey(P256, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: "CN=Pillion development",
    issuer: issuer.subject,
    notBefore: new Date(now.getTime() - CLOCK_SKEW),
    notAfter: new Date(Math.min(now.getTime() + LEAF_LIFETIME, issuer.notAfter.getTime())),
    signingAlgorithm: P256,
    publicKey: keys.publicKey,
    signingKey: await importKey(ca),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) === 0 ? "dns" : "ip", value: name })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return pemPair(certificate, keys.privateKey);
}

export function certificateOf(pair: PemPair): string {
  return pair.slice(0, pair.indexOf(KEY_BEGIN));
}

export function keyOf(pair: PemPair): string {
  return pair.slice(pair.indexOf(KEY_BEGIN));
}

/** Whether the CA's constraints let it issue for `name`. */
export function mayIssueFor(ca: PemPair, name: string): boolean {
  const constraints = new X509Certificate(certificateOf(ca)).getExtension(NAME_CONSTRAINTS);
  return constraints !== null && permits(Buffer.from(constraints.value), name);
}

/** The names a leaf serves, in the order they were asked for. */
export function namesOf(leaf: PemPair): string[] {
  const names = new X509Certificate(certificateOf(leaf)).getExtension(SubjectAlternativeNameExtension);
  return names?.names.items.map((name) => name.value) ?? [];
}

/** The certificate of a pair that was read back from disk, or nothing if the text isn't a whole pair. */
export function parsePair(pair: string): NodeCertificate | undefined {
  try {
    const certificate = new NodeCertificate(certificateOf(pair));
    return certificate.checkPrivateKey(createPrivateKey(keyOf(pair))) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

const NAME_CONSTRAINTS = "2.5.29.30";
const KEY_BEGIN = "-----BEGIN PRIVATE KEY-----";

async function pemPair(certificate: X509Certificate, key: webcrypto.CryptoKey): Promise<PemPair> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  const lines = der.match(/.{1,64}/g) ?? [];
  return `${certificate.toString("pem").trim()}\n${KEY_BEGIN}\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

async function importKey(pair: PemPair): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(keyOf(pair)).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, P256, false, ["sign"]);
}

/** Positive, 16 bytes, unpredictable (CA/Browser Forum Baseline Requirements §7.1). */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes.readUInt8(0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}
