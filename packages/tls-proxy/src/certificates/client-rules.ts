import type { OptionType } from "@pillion/kit";
import type { ClientIdentity } from "./client-identity.ts";

/** Which clients a rule lets in. */
export interface ClientRule {
  /** As it was given. */
  readonly text: string;
  readonly matches: (identity: ClientIdentity) => boolean;
}

/** Whether a client whose certificate was verified may come in: any rule is enough, and without rules every client may. */
export function isAllowed(identity: ClientIdentity, rules: readonly ClientRule[]): boolean {
  return rules.length === 0 || rules.some(({ matches }) => matches(identity));
}

/** `cn=`, `ou=`, `dns=`, `uri=` or `spki=`, and what the certificate has to have there. */
export const clientRule: OptionType<ClientRule> = {
  placeholder: "RULE",
  expects: "cn=NAME, ou=NAME, dns=NAME, uri=PATTERN or spki=sha256/BASE64",
  parse(text) {
    const [, kind = "", wanted = ""] = /^([a-z]+)=(.+)$/s.exec(text) ?? [];
    const matcher = KINDS.get(kind);
    if (matcher === undefined) throw new RangeError("not a rule");
    return { text, matches: matcher(wanted) };
  },
  is: (value) => value instanceof Object && "text" in value && "matches" in value,
  format: ({ text }) => text,
};

type Matcher = (wanted: string) => ClientRule["matches"];

const KINDS: ReadonlyMap<string, Matcher> = new Map<string, Matcher>([
  ["cn", (wanted) => (identity) => identity.commonName === wanted],
  ["ou", (wanted) => (identity) => identity.organizationalUnits.includes(wanted)],
  ["dns", dnsMatcher],
  ["uri", uriMatcher],
  ["spki", pinMatcher],
]);

/** The name itself, in any case; a `*.` in front stands for one label. */
function dnsMatcher(wanted: string): ClientRule["matches"] {
  const name = wanted.toLowerCase();
  if (!/^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(name))
    throw new RangeError("not a DNS name; one * may stand for the first label");
  if (!name.startsWith("*.")) return ({ dnsNames }) => dnsNames.includes(name);
  const rest = name.slice(1);
  return ({ dnsNames }) => dnsNames.some((own) => own.indexOf(".") > 0 && own.slice(own.indexOf(".")) === rest);
}

/**
 * Segment by segment and byte for byte. `*` stands for one whole segment of the path, `**` at the end for one or more; scheme
 * and authority are always spelt out. What a wildcard stands for may hold nothing that is read in more than one way: no
 * percent-encoding, no dot segments, nothing empty (as SPIFFE-ID §2.2 has it).
 */
function uriMatcher(wanted: string): ClientRule["matches"] {
  const [, origin = "", path = ""] = /^([a-z][a-z0-9+.-]*:(?:\/\/[^/?#*]+)?)([^?#]*)$/i.exec(wanted) ?? [];
  if (origin === "" || path.startsWith("//") || /[^\x21-\x7e]/.test(wanted))
    throw new RangeError("not a URI without query and fragment");
  const pattern = path.split("/");
  const isOpen = pattern.at(-1) === "**";
  if (isOpen) pattern.pop();
  if (pattern.some((segment) => segment.includes("*") && segment !== "*"))
    throw new RangeError("* stands for a whole segment, and ** only at the end");
  return ({ uris }) =>
    uris.some((uri) => {
      if (!uri.startsWith(origin)) return false;
      const segments = uri.slice(origin.length).split("/");
      if (isOpen ? segments.length <= pattern.length : segments.length !== pattern.length) return false;
      return segments.every((segment, index) => {
        const rule = pattern[index] ?? "*";
        return rule === "*" ? SEGMENT.test(segment) : rule === segment;
      });
    });
}

const SEGMENT = /^(?!\.{1,2}$)[\w.~!$&'()*+,;=:@-]+$/;

function pinMatcher(wanted: string): ClientRule["matches"] {
  const [, pin] = /^sha256\/([A-Za-z0-9+/]{43}=)$/.exec(wanted) ?? [];
  if (pin === undefined) throw new RangeError("not a pin: sha256/ and 32 bytes in base64");
  return ({ spkiSha256 }) => spkiSha256 === pin;
}
