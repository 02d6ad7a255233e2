import { NAME } from "./bytes.ts";

/** What a field means to a proxy. Everything without a meaning here is `other` and passes untouched. */
export const FieldKind = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  trailer: 7,
  /** Concerns one connection only (RFC 9110 §7.6.1), whatever it says. */
  hopByHop: 8,
  /** Says where a request came from or how it travels: no client may tell the app that. */
  origin: 9,
  setCookie: 10,
  location: 11,
  /** Reads as a framing field to an app that takes `_` for `-`. */
  disguised: 12,
  /** When an answer was made (RFC 9110 §6.6.1). */
  date: 13,
} as const;
export const FIELD_KINDS: number = Object.keys(FieldKind).length;
export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

const KNOWN: Readonly<Record<string, FieldKind>> = {
  host: FieldKind.host,
  "content-length": FieldKind.contentLength,
  "transfer-encoding": FieldKind.transferEncoding,
  connection: FieldKind.connection,
  upgrade: FieldKind.upgrade,
  expect: FieldKind.expect,
  trailer: FieldKind.trailer,
  "keep-alive": FieldKind.hopByHop,
  "proxy-authenticate": FieldKind.hopByHop,
  "proxy-authorization": FieldKind.hopByHop,
  "proxy-connection": FieldKind.hopByHop,
  te: FieldKind.hopByHop,
  "http2-settings": FieldKind.hopByHop,
  forwarded: FieldKind.origin,
  "x-real-ip": FieldKind.origin,
  // CGI gives it to the app as HTTP_PROXY, which HTTP clients obey as their proxy (httpoxy, CVE-2016-5385).
  proxy: FieldKind.origin,
  "client-cert": FieldKind.origin,
  "client-cert-chain": FieldKind.origin,
  "x-client-cert": FieldKind.origin,
  "x-ssl-client": FieldKind.origin,
  "ssl-client": FieldKind.origin,
  "set-cookie": FieldKind.setCookie,
  location: FieldKind.location,
  "content-location": FieldKind.location,
  date: FieldKind.date,
};
const BY_NAME: ReadonlyMap<string, FieldKind> = new Map(Object.entries(KNOWN));
const ORIGIN_PREFIXES = ["x-forwarded-", "x-client-cert-", "x-ssl-client-", "ssl-client-"];

interface KnownName {
  readonly octets: Uint8Array;
  readonly kind: FieldKind;
}

/** Names by length and first letter, so that an unknown name costs one look-up. */
const BY_SHAPE: readonly (readonly KnownName[] | undefined)[] = shapes(Object.entries(KNOWN));
const BY_PREFIX: readonly Uint8Array[] = ORIGIN_PREFIXES.map((prefix) => Buffer.from(prefix));

/** The kind of the field called `bytes[start, end)`, which is a token. */
export function fieldKind(bytes: Uint8Array, start: number, end: number): FieldKind {
  const first = NAME[bytes[start] ?? 0] ?? 0;
  const known = BY_SHAPE[shape(end - start, first)];
  if (known !== undefined)
    for (let index = 0; index < known.length; index++) {
      const { octets, kind } = known[index] ?? NONE;
      if (startsWith(bytes, start, octets)) return isDisguise(bytes, start, end, kind) ? FieldKind.disguised : kind;
    }
  // All prefixes begin with x or s.
  if (first === 0x78 || first === 0x73)
    for (const prefix of BY_PREFIX)
      if (end - start > prefix.length && startsWith(bytes, start, prefix)) return FieldKind.origin;
  return FieldKind.other;
}

/** The same for a name in a text. */
export function fieldKindOf(name: string): FieldKind {
  const dashed = name.includes("_") ? name.replaceAll("_", "-") : name;
  const plain = dashed.toLowerCase();
  const kind = BY_NAME.get(plain);
  if (kind !== undefined) return dashed !== name && isFraming(kind) ? FieldKind.disguised : kind;
  const isOrigin = ORIGIN_PREFIXES.some((prefix) => plain.length > prefix.length && plain.startsWith(prefix));
  return isOrigin ? FieldKind.origin : FieldKind.other;
}

const NONE: KnownName = { octets: Buffer.alloc(0), kind: FieldKind.other };
const UNDERSCORE = 0x5f;

function startsWith(bytes: Uint8Array, start: number, octets: Uint8Array): boolean {
  for (let index = 0; index < octets.length; index++)
    if (NAME[bytes[start + index] ?? 0] !== octets[index]) return false;
  return true;
}

function isFraming(kind: FieldKind): boolean {
  return kind === FieldKind.contentLength || kind === FieldKind.transferEncoding;
}

function isDisguise(bytes: Uint8Array, start: number, end: number, kind: FieldKind): boolean {
  if (!isFraming(kind)) return false;
  for (let index = start; index < end; index++) if (bytes[index] === UNDERSCORE) return true;
  return false;
}

function shape(length: number, first: number): number {
  return length < 32 ? (length << 5) | (first & 31) : 0;
}

function shapes(known: readonly (readonly [string, FieldKind])[]): (KnownName[] | undefined)[] {
  const table: (KnownName[] | undefined)[] = Array.from({ length: 1024 });
  for (const [name, kind] of known)
    (table[shape(name.length, name.charCodeAt(0))] ??= []).push({ octets: Buffer.from(name), kind });
  return table;
}
