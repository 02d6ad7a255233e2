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

/**
 * Whether an app could take a field for ours. Such fields are dropped from every request, asked for certificates or not.
 * @param name in lower case; underscores count as hyphens, as CGI and WSGI read them
 */
export function isIdentityField(name: string): boolean {
  const spelling = name.replaceAll("_", "-");
  return NAMES.includes(spelling) || PREFIXES.some((prefix) => spelling.startsWith(prefix));
}

/** RFC 9440, and what nginx's, Apache's and HAProxy's manuals call theirs. */
const NAMES = ["client-cert", "client-cert-chain", "x-client-cert", "x-ssl-client", "ssl-client"];
const PREFIXES = ["x-client-cert-", "x-ssl-client-", "ssl-client-"];
