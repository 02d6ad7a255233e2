import "reflect-metadata";
import { type KeyObject, generateKeyPairSync, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  type JsonName,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const DAY = 86_400_000;
type KeyType = "ec" | "rsa";
const ALGORITHMS = {
  ec: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  rsa: { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
};

export interface Wanted {
  /** DNS names. */
  readonly names?: readonly string[];
  readonly uris?: readonly string[];
  readonly subject?: string | JsonName;
  readonly usage?: "server" | "client";
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
  /** OpenSSL's name of the curve that its key is on, where that isn't P-256. */
  readonly curve?: string;
}

/** PEM; `cert` ends with the intermediates. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

/** A CA of a test's own. */
export interface Authority {
  /** PEM of the root. */
  readonly ca: string;
  issue(wanted?: Wanted): Promise<Issued>;
  /** A CA below this one. */
  intermediate(name: string): Promise<Authority>;
}

/** What it signs is all of one type, from the root down: some clients look at that as well. */
export async function makeAuthority(name: string, keyType: KeyType = "ec"): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHMS[keyType], true, ["sign", "verify"]);
  const root = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 1000 * DAY),
    notAfter: new Date(Date.now() + 1000 * DAY),
    signingAlgorithm: ALGORITHMS[keyType],
    keys,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return authority(root.toString("pem"), root, keys.privateKey, keyType, []);
}

function authority(
  ca: string,
  own: X509Certificate,
  signingKey: webcrypto.CryptoKey,
  keyType: KeyType,
  chain: readonly string[],
): Authority {
  const sign = async (wanted: Wanted, extensions: Extension[]) => {
    const keys = wanted.curve ? onCurve(wanted.curve) : keyPair(keyType);
    const certificate = await X509CertificateGenerator.create({
      subject: wanted.subject ?? "O=Test",
      issuer: own.subject,
      notBefore: new Date(Date.now() + (wanted.from ?? -1) * DAY),
      notAfter: new Date(Date.now() + (wanted.to ?? 30) * DAY),
      signingAlgorithm: ALGORITHMS[keyType],
      publicKey: keys.publicKey,
      signingKey,
      extensions,
    });
    return { certificate, ...keys };
  };
  return {
    ca,
    async issue(wanted = {}) {
      const { names = [], uris = [], usage = "server" } = wanted;
      const alternatives: JsonGeneralNames = [
        ...names.map((value) => ({ type: "dns" as const, value })),
        ...uris.map((value) => ({ type: "url" as const, value })),
      ];
      const extensions: Extension[] = [
        new ExtendedKeyUsageExtension([usage === "server" ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth]),
      ];
      if (alternatives.length > 0) extensions.push(new SubjectAlternativeNameExtension(alternatives));
      const { certificate, privateKey } = await sign(wanted, extensions);
      const pem = privateKey.export({ type: "pkcs8", format: "pem" });
      return { cert: [certificate.toString("pem"), ...chain].join("\n"), key: pem };
    },
    async intermediate(name) {
      const basic = new BasicConstraintsExtension(true, undefined, true);
      const { certificate, privateKey } = await sign({ subject: `CN=${name}` }, [basic]);
      const key = privateKey.toCryptoKey(ALGORITHMS[keyType], true, ["sign"]);
      return authority(ca, certificate, key, keyType, [certificate.toString("pem"), ...chain]);
    },
  };
}

/** A key pair that WebCrypto, which signs, may know nothing of. */
interface KeyPair {
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  readonly privateKey: KeyObject;
}

function onCurve(namedCurve: string): KeyPair {
  return pairOf(generateKeyPairSync("ec", { namedCurve }));
}

function keyPair(keyType: KeyType): KeyPair {
  return pairOf(
    keyType === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 }),
  );
}

function pairOf({ publicKey, privateKey }: Record<keyof KeyPair, KeyObject>): KeyPair {
  return { publicKey: publicKey.export({ type: "spki", format: "der" }), privateKey };
}
