import { isIP } from "node:net";
import { canonicalHostName } from "./host-names.ts";

/** What a subjectAltName holds, of the kinds that are looked at here. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly uris: readonly string[];
  /** IP addresses, IPv6 as RFC 5952 writes it. */
  readonly addresses: readonly string[];
}

/**
 * Reads the text that Node makes of a subjectAltName: `DNS:app.test, URI:"spiffe://a/\u002c"`. A value in which anything
 * could be taken for a separator is quoted as JSON there (since CVE-2021-44532), so quotes are honoured and whatever
 * doesn't fit the form makes all of it unusable: no name is better than a forged one.
 */
export function alternativeNames(text: string): AlternativeNames | undefined {
  const names = { dns: [] as string[], uris: [] as string[], addresses: [] as string[] };
  for (let rest = text; rest !== "";) {
    const [whole, kind = "", quoted, plain] = NAME.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    rest = rest.slice(whole.length);
    const value = quoted === undefined ? plain : unquoted(quoted);
    if (value === undefined || (whole.endsWith(", ") && rest === "")) return undefined;
    if (kind === "DNS" && HOST.test(value)) names.dns.push(value);
    if (kind === "URI" && URI.test(value)) names.uris.push(value);
    if (kind === "IP Address" && isIP(value) !== 0 && !value.includes("%"))
      names.addresses.push(canonicalHostName(value));
  }
  return names;
}

const NAME = /^([A-Za-z][A-Za-z ]*):(?:("(?:[^"\\]|\\.)*")|([^",\\]*))(?:, |$)/;
/** Letters, digits, hyphens, and underscores as some internal names have them; a wildcard as the first label. */
const HOST = /^(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i;
/** RFC 3986 §2: visible ASCII without what never stands in a URI. */
const URI = /^[a-z][a-z0-9+.-]*:[\w:/?#[\]@!$&'()*+,;=.~%-]+$/i;

function unquoted(json: string): string | undefined {
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}
