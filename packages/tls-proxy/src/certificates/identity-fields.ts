import type { ClientIdentity } from "./client-identity.ts";

/**
 * Header fields that tell the app who the client is, names and values in turn: `Client-Cert` as RFC 9440 §2.2 has it, and
 * the same in plain words. Values are visible ASCII and single spaces; what a list would be split at is percent-encoded.
 */
export function identityFields(identity: ClientIdentity): string[] {
  const fields = [
    ["Client-Cert", `:${identity.certificate.toString("base64")}:`],
    ["X-Client-Cert-Subject", identity.subject],
    ["X-Client-Cert-DNS", identity.dnsNames.join(", ")],
    ["X-Client-Cert-URI", identity.uris.map((uri) => uri.replaceAll(",", "%2C")).join(", ")],
    ["X-Client-Cert-Fingerprint", identity.fingerprint],
  ];
  return fields.filter(([, value]) => value !== "").flat();
}
