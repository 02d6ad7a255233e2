import type { X509Certificate } from "node:crypto";

/**
 * The values of one kind in a certificate's subject, such as `CN` or `OU`, root first.
 *
 * Read from the text that Node makes of it, a line for each part, ` + ` between those of a part that has several, escaped
 * as in RFC 2253 §2.4 with control characters as `\0A`. Node's objects (`toLegacyObject`, `getPeerCertificate`) have them
 * ready-made, but to make one of a key on a curve that isn't NIST's ends the process.
 */
export function subjectNames(certificate: X509Certificate, kind: string): string[] {
  const parts = (certificate.subject ?? "").split("\n").flatMap((line) => line.split(" + "));
  return parts.filter((part) => part.startsWith(`${kind}=`)).map((part) => unescaped(part.slice(kind.length + 1)));
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(?:([0-9A-F]{2})|(.))/g, (_, hex: string | undefined, character: string) =>
    hex === undefined ? character : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
