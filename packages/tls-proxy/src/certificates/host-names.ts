import { isIP, isIPv6 } from "node:net";

/** What a development certificate always serves. */
export const LOCAL_NAMES: readonly string[] = ["localhost", "127.0.0.1", "::1"];

/**
 * Why `name` cannot stand in a certificate, or nothing. Labels follow RFC 1123 §2.1; a leading `*.` is a wildcard
 * (RFC 6125 §6.4.3).
 */
export function hostNameProblem(name: string): string | undefined {
  if (isIP(name) !== 0) return undefined;
  if (name.length > 253) return "is longer than 253 characters";
  const labels = name.replace(/^\*\./, "").split(".");
  const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i;
  if (labels.every((part) => label.test(part))) return undefined;
  return "is neither a host name (letters, digits and hyphens between dots; other scripts as xn--…) nor an IP address";
}

/** The one spelling that comparisons use: lower case, and IPv6 as RFC 5952 writes it. */
export function canonicalHostName(name: string): string {
  return isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name.toLowerCase();
}
