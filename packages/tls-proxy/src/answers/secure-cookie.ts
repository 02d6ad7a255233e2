/**
 * A Set-Cookie value with `Secure` (RFC 6265 §4.1.2.5), added where it isn't there; nothing else changes. An app that
 * speaks plain HTTP leaves it out, and the browser would send the cookie over plain HTTP as well.
 *
 * It is there when browsers see it (RFC 6265 §5.2): an attribute ends at the next semicolon, quoted or not, and of
 * `Secure` the value doesn't count.
 */
export function secureCookie(value: string): string {
  const [, ...attributes] = value.split(";");
  const isSecure = attributes.some((attribute) => /^[ \t]*secure[ \t]*(=|$)/i.test(attribute));
  return isSecure || value === "" ? value : `${value}; Secure`;
}
