import { createHash, type X509Certificate } from "node:crypto";
import { alternativeNames } from "./alternative-names.ts";
import { subjectNames } from "./subject-names.ts";

/** What names a certificate, be it good or bad. */
export interface CertificateLabel {
  /** RFC 4514, ASCII alone: `CN=web,OU=shop,O=Example`; other characters as `\C3\A4`. */
  readonly subject: string;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
}

/** Who a client is, by a certificate that was verified. */
export interface ClientIdentity extends CertificateLabel {
  /** Only where there is exactly one: with two, checks could differ on which counts. */
  readonly commonName: string | undefined;
  readonly organizationalUnits: readonly string[];
  /** In lower case. */
  readonly dnsNames: readonly string[];
  /** As they are in the certificate. */
  readonly uris: readonly string[];
  /** SHA-256 of the public key's SubjectPublicKeyInfo, base64, as RFC 7469 §2.4 pins it. */
  readonly spkiSha256: string;
  /** DER. */
  readonly certificate: Buffer;
}

/** Reads the identity out of a certificate. Names with control characters, and subjects that don't parse, are left out. */
export function identityOf(certificate: X509Certificate): ClientIdentity {
  const commonNames = subjectNames(certificate, "CN");
  const names = alternativeNames(certificate.subjectAltName ?? "");
  return {
    ...labelOf(certificate),
    commonName: commonNames.length === 1 ? commonNames.find(isPlain) : undefined,
    organizationalUnits: subjectNames(certificate, "OU").filter(isPlain),
    dnsNames: (names?.dns ?? []).map((name) => name.toLowerCase()),
    uris: names?.uris ?? [],
    spkiSha256: sha256(certificate.publicKey.export({ type: "spki", format: "der" })).toString("base64"),
    certificate: certificate.raw,
  };
}

export function labelOf(certificate: X509Certificate): CertificateLabel {
  return { subject: rfc4514(certificate.subject ?? ""), fingerprint: sha256(certificate.raw).toString("hex") };
}

/** No C0, C1 or delete: `admin\0.evil` is not `admin`. */
function isPlain(text: string): boolean {
  return text !== "" && !/\p{Cc}/u.test(text);
}

/**
 * Node gives a line for each part, escaped as in RFC 2253 and root first; RFC 4514 §2.1 wants the last part first,
 * and no spaces around the `+` of a part that has several (one in a value is escaped).
 */
function rfc4514(subject: string): string {
  const parts = subject.split("\n").toReversed().join(",").replaceAll(" + ", "+");
  return parts.replace(/[^\x20-\x7e]+/g, (text) =>
    Buffer.from(text).toString("hex").replace(/../g, "\\$&").toUpperCase(),
  );
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
