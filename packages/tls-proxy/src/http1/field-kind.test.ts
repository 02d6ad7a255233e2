import fc from "fast-check";
import { expect, test } from "vitest";
import { FieldKind, fieldKind, fieldKindOf } from "./field-kind.ts";

const KINDS: readonly (readonly [FieldKind, readonly string[]])[] = [
  [FieldKind.host, ["host"]],
  [FieldKind.contentLength, ["content-length"]],
  [FieldKind.transferEncoding, ["transfer-encoding"]],
  [FieldKind.connection, ["connection"]],
  [FieldKind.upgrade, ["upgrade"]],
  [FieldKind.expect, ["expect"]],
  [FieldKind.trailer, ["trailer"]],
  [
    FieldKind.hopByHop,
    ["keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "http2-settings"],
  ],
  [
    FieldKind.origin,
    [
      "forwarded",
      "x-real-ip",
      "proxy",
      "x-forwarded-for",
      "x-forwarded-prefix",
      "client-cert",
      "client-cert-chain",
      "x-client-cert",
      "x-client-cert-dns",
      "x-ssl-client",
      "x-ssl-client-verify",
      "ssl-client",
      "ssl-client-s-dn",
    ],
  ],
  [FieldKind.setCookie, ["set-cookie"]],
  [FieldKind.location, ["location", "content-location"]],
  [FieldKind.date, ["date"]],
  [
    FieldKind.other,
    [
      "accept",
      "cookie",
      "x",
      "hosts",
      "xhost",
      "proxy-",
      "proxys",
      "x-forwarded-",
      "forwarded-for",
      "content-lengths",
      "x-request-id",
      "s",
    ],
  ],
];

/** By octets and by text, which have to agree. */
function kindOf(name: string): FieldKind {
  const octets = Buffer.from(name, "latin1");
  const kind = fieldKind(octets, 0, octets.length);
  expect(fieldKindOf(name), name).toBe(kind);
  return kind;
}

test.each(KINDS)("kind %i: %j", (kind, names) => {
  expect(names.map((name) => [name, kindOf(name)])).toEqual(names.map((name) => [name, kind]));
});

test("case doesn't matter, and an underscore reads as a dash; a framing field in that disguise is told apart", () => {
  const known = KINDS.flatMap(([kind, names]) => names.map((name) => ({ kind, name })));
  fc.assert(
    fc.property(fc.constantFrom(...known), fc.infiniteStream(fc.boolean()), ({ kind, name }, flips) => {
      const spelled = name.replace(/./g, (letter) =>
        flips.next().value ? (letter === "-" ? "_" : letter.toUpperCase()) : letter,
      );
      const frames = kind === FieldKind.contentLength || kind === FieldKind.transferEncoding;
      expect(kindOf(spelled)).toBe(frames && spelled.includes("_") ? FieldKind.disguised : kind);
    }),
  );
});

test("only the name is looked at, not what stands around it", () => {
  const bytes = Buffer.from("xhost: hosts");
  expect(fieldKind(bytes, 1, 5)).toBe(FieldKind.host);
  expect(fieldKind(bytes, 0, 5)).toBe(FieldKind.other);
});

test("a name of any length has a kind", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}$/), (name) => {
      expect(Object.values(FieldKind)).toContain(kindOf(name));
    }),
  );
});
