import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { type ErrorMaker, type Fault, type PillionError, messageOf, systemCode } from "@pillion/kit";
import { errors } from "../errors.ts";

/** A certificate chain and its key, checked: the key fits, and OpenSSL accepts both. */
export interface CertificatePair {
  /** PEM: the certificate, then its intermediates. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** SHA-256 of the certificate: upper-case hexadecimal with colons, as browsers show it. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Where a PEM text came from, as the user knows it: the option and the path. */
export type PemSource = Pick<Fault, "subject" | "value">;

/**
 * Reads and checks a certificate and its key.
 * @throws CERTIFICATE_… when one is unreadable, not PEM, damaged, encrypted, refused by OpenSSL, or of another pair
 */
export async function loadCertificatePair(certPath: string, keyPath: string): Promise<CertificatePair> {
  const certSource = { subject: "--cert", value: certPath };
  const keySource = { subject: "--key", value: keyPath };
  const cert = await read(certPath, certSource, errors.CERTIFICATE_UNREADABLE);
  const key = await read(keyPath, keySource, errors.CERTIFICATE_KEY_UNREADABLE);
  return checkCertificatePair(cert, key, certSource, keySource);
}

/** The same check for PEM text that is in memory already. */
export function checkCertificatePair(
  cert: string,
  key: string,
  certSource: PemSource,
  keySource: PemSource,
): CertificatePair {
  const leaf = parseChain(cert, certSource);
  const subject = leaf.subject?.replaceAll("\n", ", ") ?? "";
  if (!leaf.checkPrivateKey(parseKey(key, keySource))) {
    const reason = `the key does not belong to the certificate in ${certSource.subject} ${certSource.value} (${subject})`;
    const remedy =
      "Give the key that the certificate was issued for; in its file the certificate comes first, then its intermediates";
    throw errors.CERTIFICATE_KEY_MISMATCH({ ...keySource, reason, remedy });
  }
  tryWithOpenssl(cert, key, certSource);
  return {
    cert,
    key,
    fingerprint: leaf.fingerprint256,
    subject,
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
  };
}

/** What is wrong with a certificate's dates, or nothing. It is served all the same: clients judge for themselves. */
export function validityProblem(
  pair: Pick<CertificatePair, "subject" | "notBefore" | "notAfter">,
  now: Date,
): PillionError | undefined {
  const problem = (reason: string, remedy: string) =>
    errors.CERTIFICATE_NOT_VALID({ subject: "certificate", value: pair.subject, reason, remedy });
  if (now > pair.notAfter) {
    return problem(
      `expired at ${pair.notAfter.toISOString()} and is served all the same`,
      "Put a new one in its place and send SIGHUP",
    );
  }
  if (now < pair.notBefore) {
    return problem(
      `is not valid before ${pair.notBefore.toISOString()} and is served all the same`,
      "Check this machine's clock",
    );
  }
  return undefined;
}

async function read(path: string, source: PemSource, unreadable: ErrorMaker): Promise<string> {
  try {
    return await readFile(path, "latin1");
  } catch (cause) {
    const reason = `can't be read (${systemCode(cause) ?? messageOf(cause)})`;
    throw unreadable({ ...source, reason, remedy: "Check the path, and that this user may read the file", cause });
  }
}

function parseChain(pem: string, source: PemSource): X509Certificate {
  const [leaf, ...intermediates] = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (leaf === undefined) throw notACertificate(pem, source);
  try {
    for (const intermediate of intermediates) void new X509Certificate(intermediate);
    return new X509Certificate(leaf);
  } catch {
    throw errors.CERTIFICATE_UNPARSABLE({
      ...source,
      reason: "is PEM, but a certificate in it is damaged",
      remedy: "Copy the file again, whole",
    });
  }
}

function notACertificate(pem: string, source: PemSource): PillionError {
  const [reason, remedy] = pem.includes("PRIVATE KEY-----")
    ? ["holds a private key and no certificate", SWAPPED]
    : pem.startsWith("\x30\x82")
      ? ["is DER, not PEM", "Convert it: openssl x509 -inform der -in FILE -out FILE.pem"]
      : ["holds no PEM certificate", "Give a PEM file with the certificate first, then its intermediates"];
  return errors.CERTIFICATE_UNPARSABLE({ ...source, reason, remedy });
}

function parseKey(pem: string, source: PemSource): KeyObject {
  const block = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[^]*?-----END (?:[A-Z]+ )?PRIVATE KEY-----/.exec(pem)?.[0];
  if (block === undefined) {
    const [reason, remedy] = pem.includes("BEGIN CERTIFICATE")
      ? ["holds a certificate and no private key", SWAPPED]
      : ["holds no PEM private key", "Give the certificate's key as PEM"];
    throw errors.CERTIFICATE_KEY_UNPARSABLE({ ...source, reason, remedy });
  }
  if (block.includes("ENCRYPTED")) {
    const remedy = "Decrypt it (openssl pkey -in FILE -out FILE.plain) and protect the result with mode 0600";
    throw errors.CERTIFICATE_KEY_ENCRYPTED({ ...source, reason: "is encrypted with a passphrase", remedy });
  }
  try {
    return createPrivateKey(block);
  } catch {
    // OpenSSL's own words are left out: nothing that saw key bytes goes into a log.
    throw errors.CERTIFICATE_KEY_UNPARSABLE({
      ...source,
      reason: "is PEM, but the key in it is damaged",
      remedy: "Copy the file again, whole",
    });
  }
}

const SWAPPED = "Were --cert and --key swapped?";

function tryWithOpenssl(cert: string, key: string, source: PemSource): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const remedy = "Use a key of at least 2048 bits (RSA) or P-256 (ECDSA)";
    throw errors.CERTIFICATE_REFUSED({ ...source, reason: "OpenSSL refuses it", remedy, cause });
  }
}
