import { createHash, createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { type ErrorMaker, type PillionError, messageOf, systemCode } from "@pillion/kit";
import { errors } from "../errors.ts";
import { isDer, parseChain, type PemSource, subjectOf, SWAPPED } from "./certificate-chain.ts";
import { alternativeNames } from "./alternative-names.ts";
import { subjectNames } from "./subject-names.ts";

/** A certificate chain and its key, checked: the key fits, the chain is in order, and OpenSSL accepts it all. */
export interface CertificatePair {
  /** Where it was read from. */
  readonly source: PemSource;
  /** PEM: the certificate, then its intermediates. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** SHA-256 of the certificate: upper-case hexadecimal with colons, as browsers show it. */
  readonly fingerprint: string;
  readonly subject: string;
  /** The DNS names it is for, in lower case, wildcards as `*.app.test`. */
  readonly names: readonly string[];
  /** The IP addresses it is for. */
  readonly addresses: readonly string[];
  /** `ec`, `rsa`, `ed25519`: of each, a client can be offered one. */
  readonly keyType: string;
  /** What a TLS 1.3 client has to verify, as OpenSSL names it: `ECDSA+SHA256`, `RSA-PSS+`. */
  readonly signature: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Tells what it was read from, byte for byte. */
  readonly digest: string;
}

/** The options that name the files, for messages. */
export interface PairOptions {
  readonly cert: string;
  readonly key: string;
}

const READINGS_AT_MOST = 5;

/**
 * Reads and checks a certificate and its key.
 * @param known returned as it is when the files still hold it
 * @throws CERTIFICATE_… when one is unreadable, not PEM, damaged, encrypted, out of order, refused by OpenSSL, or of
 * another pair
 */
export async function loadCertificatePair(
  certPath: string,
  keyPath: string,
  options: PairOptions = { cert: "--cert", key: "--key" },
  known?: CertificatePair,
): Promise<CertificatePair> {
  const certSource = { subject: options.cert, value: certPath };
  const keySource = { subject: options.key, value: keyPath };
  let cert = await read(certPath, certSource, errors.CERTIFICATE_UNREADABLE);
  let key = await read(keyPath, keySource, errors.CERTIFICATE_KEY_UNREADABLE);
  // A swap may come between the two readings: the key counts when the certificate is the same before and behind it.
  for (let readings = 1; readings < READINGS_AT_MOST; readings++) {
    const again = await read(certPath, certSource, errors.CERTIFICATE_UNREADABLE);
    if (again === cert) break;
    cert = again;
    key = await read(keyPath, keySource, errors.CERTIFICATE_KEY_UNREADABLE);
  }
  if (known !== undefined && known.digest === digestOf(cert, key)) return known;
  return checkCertificatePair(cert, key, certSource, keySource);
}

/** The same check for PEM text that is in memory already. */
export function checkCertificatePair(
  cert: string,
  key: string,
  certSource: PemSource,
  keySource: PemSource,
): CertificatePair {
  const chain = parseChain(cert, certSource);
  const [leaf] = chain;
  const subject = subjectOf(leaf);
  const { block, parsed } = parseKey(key, keySource);
  if (!leaf.checkPrivateKey(parsed)) {
    const reason = `the key does not belong to the certificate in ${certSource.subject} ${certSource.value} (${subject})`;
    const remedy =
      "Give the key that the certificate was issued for; in its file the certificate comes first, then its intermediates";
    throw errors.CERTIFICATE_KEY_MISMATCH({ ...keySource, reason, remedy });
  }
  // Written anew: what lies between the blocks, or doesn't when files were joined, is not OpenSSL's to stumble over.
  const pem = { cert: chain.join(""), key: block };
  refuseUnknownKeys(leaf.publicKey, certSource);
  tryWithOpenssl(pem, certSource);
  return {
    source: certSource,
    ...pem,
    fingerprint: leaf.fingerprint256,
    subject,
    names: namesOf(leaf),
    addresses: alternativeNames(leaf.subjectAltName ?? "")?.addresses ?? [],
    keyType: leaf.publicKey.asymmetricKeyType ?? "unknown",
    signature: signatureOf(leaf.publicKey),
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
    digest: digestOf(cert, key),
  };
}

/** What is wrong with a certificate's dates, or nothing. */
export function validityProblem(
  { source, subject, notBefore, notAfter }: CertificatePair,
  now: Date,
  consequence = "is served all the same: clients judge for themselves",
): PillionError | undefined {
  const problem = (reason: string, remedy: string) =>
    errors.CERTIFICATE_NOT_VALID({ ...source, reason: `${subject} ${reason} and ${consequence}`, remedy });
  if (now > notAfter) return problem(`expired at ${notAfter.toISOString()}`, "Put a new one in its place");
  if (now < notBefore) return problem(`is not valid before ${notBefore.toISOString()}`, "Check this machine's clock");
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

function digestOf(...texts: string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}

function parseKey(pem: string, source: PemSource): { block: string; parsed: KeyObject } {
  const block = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[^]*?-----END (?:[A-Z]+ )?PRIVATE KEY-----/.exec(pem)?.[0];
  if (block === undefined) {
    const [reason, remedy] = pem.includes("BEGIN CERTIFICATE")
      ? ["holds a certificate and no private key", SWAPPED]
      : isDer(pem)
        ? ["is DER, not PEM", "Convert it: openssl pkey -inform der -in FILE -out FILE.pem"]
        : ["holds no PEM private key", "Give the certificate's key as PEM"];
    throw errors.CERTIFICATE_KEY_UNPARSABLE({ ...source, reason, remedy });
  }
  if (block.includes("ENCRYPTED")) {
    const remedy = "Decrypt it (openssl pkey -in FILE -out FILE.plain) and protect the result with mode 0600";
    throw errors.CERTIFICATE_KEY_ENCRYPTED({ ...source, reason: "is encrypted with a passphrase", remedy });
  }
  try {
    return { block, parsed: createPrivateKey(block) };
  } catch {
    // OpenSSL's own words are left out: nothing that saw key bytes goes into a log.
    throw errors.CERTIFICATE_KEY_UNPARSABLE({
      ...source,
      reason: "is PEM, but the key in it is damaged",
      remedy: "Copy the file again, whole",
    });
  }
}

/** OpenSSL takes others too, and then agrees on nothing with nearly any client. */
function refuseUnknownKeys({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, source: PemSource): void {
  const kind = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType ?? "unknown";
  if (KEY_KINDS.has(kind)) return;
  const reason = `has a key of the kind ${kind}, with which clients of TLS do not agree`;
  const remedy = "Use a key on P-256 or P-384 (ECDSA), or RSA";
  throw errors.CERTIFICATE_REFUSED({ ...source, reason, remedy });
}

/** Those of RFC 8446 §4.2.3, as OpenSSL names them. */
const KEY_KINDS: ReadonlySet<string> = new Set([
  "rsa",
  "rsa-pss",
  "prime256v1",
  "secp384r1",
  "secp521r1",
  "ed25519",
  "ed448",
]);

function tryWithOpenssl(pem: { cert: string; key: string }, source: PemSource): void {
  try {
    createSecureContext(pem);
  } catch (cause) {
    const remedy = "Use a key of at least 2048 bits (RSA) or P-256 (ECDSA)";
    throw errors.CERTIFICATE_REFUSED({ ...source, reason: "OpenSSL refuses it", remedy, cause });
  }
}

/** RFC 8446 §4.2.3: with a curve goes one hash. */
function signatureOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (asymmetricKeyType === "rsa") return "RSA-PSS+";
  if (asymmetricKeyType !== "ec") return `${asymmetricKeyType?.replace("ed", "Ed")}+`;
  const hash = { secp384r1: "SHA384", secp521r1: "SHA512" }[asymmetricKeyDetails?.namedCurve ?? ""];
  return `ECDSA+${hash ?? "SHA256"}`;
}

/** Those of subjectAltName; of the common name only where there are none, as old certificates have it. */
function namesOf(leaf: X509Certificate): string[] {
  const names = alternativeNames(leaf.subjectAltName ?? "");
  const own = names?.dns ?? [];
  const common = leaf.subjectAltName === undefined ? subjectNames(leaf, "CN") : [];
  return [...new Set([...own, ...common].map((name) => name.toLowerCase()))];
}
