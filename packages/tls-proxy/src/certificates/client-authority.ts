import { type X509Certificate, createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { TLSSocket } from "node:tls";
import { messageOf, systemCode } from "@pillion/kit";
import { errors } from "../errors.ts";
import { isDer, parseCertificates, subjectOf } from "./certificate-chain.ts";
import { type CertificateLabel, type ClientIdentity, identityOf, labelOf } from "./client-identity.ts";
import { type ClientRule, isAllowed } from "./client-rules.ts";

/** The CAs whose clients are let in. */
export interface ClientAuthority {
  readonly pem: string;
  /** Changes with the CAs: sessions of clients that others vouched for are not resumed. */
  readonly id: string;
}

/** What a connection's certificate says: who it is, nobody in particular, or why it gets no further. */
export type Judgement =
  | { readonly identity: ClientIdentity | undefined; readonly refusal?: never }
  | {
      readonly identity?: never;
      /** With OpenSSL's code, where it has one. */
      readonly refusal: string;
      /** What was presented. Nobody vouches for what it says. */
      readonly presented?: CertificateLabel;
      readonly outcome: "missing" | "untrusted" | "expired" | "not allowed";
    };

/** @throws CLIENT_CA_UNREADABLE, CLIENT_CA_UNUSABLE, CERTIFICATE_UNPARSABLE */
export async function loadClientAuthority(path: string): Promise<ClientAuthority> {
  const source = { subject: "--client-ca", value: path };
  const pem = await readFile(path, "latin1").catch((cause: unknown) => {
    const reason = `can't be read (${systemCode(cause) ?? messageOf(cause)})`;
    const remedy = "Check the path, and that this user may read the file";
    throw errors.CLIENT_CA_UNREADABLE({ ...source, reason, remedy, cause });
  });
  const certificates = parseCertificates(pem, source);
  const unusable = (reason: string, remedy: string) => errors.CLIENT_CA_UNUSABLE({ ...source, reason, remedy });
  if (certificates.length === 0 && isDer(pem))
    throw unusable("is DER, not PEM", "Convert it: openssl x509 -inform der -in FILE -out FILE.pem");
  if (certificates.length === 0)
    throw unusable("holds no PEM certificate", "Give the certificates of the CAs that issue to clients, PEM");
  const leaf = certificates.find((certificate) => !certificate.ca);
  if (leaf)
    throw unusable(
      `holds ${subjectOf(leaf)}, which is no CA`,
      "Give the CA that issued it; pin a client with --allow-client spki=…",
    );
  // OpenSSL follows a chain up to a certificate that issued itself, and trusts none below it.
  if (!certificates.some((certificate) => certificate.checkIssued(certificate)))
    throw unusable("holds intermediates alone", "Add the root that they were issued by");
  const clean = certificates.join("");
  return { pem: clean, id: createHash("sha256").update(clean).digest("hex").slice(0, 32) };
}

/**
 * Judges a client after the handshake, by what OpenSSL found (chain, dates, purpose) and by the rules. Dates are looked at
 * again: a resumed session keeps what was found when it began.
 */
export function judge(
  socket: TLSSocket,
  rules: readonly ClientRule[],
  { required, now }: { required: boolean; now: Date },
): Judgement {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    if (!required) return { identity: undefined };
    return { outcome: "missing", refusal: "a client certificate is required, and none was presented" };
  }
  if (!socket.authorized) return refused(certificate, String(socket.authorizationError));
  if (now > certificate.validToDate) return refused(certificate, "CERT_HAS_EXPIRED");
  if (now < certificate.validFromDate) return refused(certificate, "CERT_NOT_YET_VALID");
  const identity = identityOf(certificate);
  if (isAllowed(identity, rules)) return { identity };
  const refusal = "the client certificate is good, but this client is not allowed";
  return { outcome: "not allowed", refusal, presented: labelOf(certificate) };
}

/** @param code OpenSSL's */
function refused(certificate: X509Certificate, code: string): Judgement {
  const presented = labelOf(certificate);
  return code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID"
    ? { outcome: "expired", refusal: `the client certificate has expired, or is not valid yet (${code})`, presented }
    : { outcome: "untrusted", refusal: `the client certificate is not trusted (${code})`, presented };
}
