import { X509Certificate } from "node:crypto";
import type { Fault, PillionError } from "@pillion/kit";
import { errors } from "../errors.ts";

/** Where a PEM text came from, as the user knows it: the option and the path. */
export type PemSource = Pick<Fault, "subject" | "value">;

/**
 * The certificates of a PEM text, the server's own first, each issued by the one behind it (RFC 5246 §7.4.2).
 * @throws CERTIFICATE_UNPARSABLE, CERTIFICATE_CHAIN_BROKEN
 */
export function parseChain(pem: string, source: PemSource): [X509Certificate, ...X509Certificate[]] {
  const [leaf, ...issuers] = parseCertificates(pem, source);
  if (leaf === undefined) throw notACertificate(pem, source);
  let below = leaf;
  for (const [index, issuer] of issuers.entries()) {
    if (!isIssuedBy(below, issuer)) throw brokenChain(index + 1, below, issuer, source);
    below = issuer;
  }
  return [leaf, ...issuers];
}

/** Every certificate in a PEM text, in order; none where there is none. @throws CERTIFICATE_UNPARSABLE */
export function parseCertificates(pem: string, source: PemSource): X509Certificate[] {
  try {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    throw errors.CERTIFICATE_UNPARSABLE({
      ...source,
      reason: "is PEM, but a certificate in it is damaged",
      remedy: "Copy the file again, whole",
    });
  }
}

/** A certificate's subject on one line. */
export function subjectOf(certificate: X509Certificate): string {
  return certificate.subject?.replaceAll("\n", ", ") ?? "";
}

/** Whether what was read (latin1) is DER and no text: a SEQUENCE of 112 octets or more (X.690 §8.1). */
export function isDer(text: string): boolean {
  return /^\x30[\x70-\xff]/.test(text) && !text.includes("-----BEGIN");
}

export const SWAPPED = "Were certificate and key swapped?";

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function brokenChain(number: number, below: X509Certificate, issuer: X509Certificate, source: PemSource): PillionError {
  const reason = `certificate ${number} (${subjectOf(below)}) was not issued by the one behind it (${subjectOf(issuer)})`;
  const remedy = "Put the server's certificate first, then the one that issued it, and so on";
  return errors.CERTIFICATE_CHAIN_BROKEN({ ...source, reason, remedy });
}

function notACertificate(pem: string, source: PemSource): PillionError {
  const [reason, remedy] = pem.includes("PRIVATE KEY-----")
    ? ["holds a private key and no certificate", SWAPPED]
    : isDer(pem)
      ? ["is DER, not PEM", "Convert it: openssl x509 -inform der -in FILE -out FILE.pem"]
      : ["holds no PEM certificate", "Give a PEM file with the certificate first, then its intermediates"];
  return errors.CERTIFICATE_UNPARSABLE({ ...source, reason, remedy });
}
