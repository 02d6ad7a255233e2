import { isIPv6 } from "node:net";

/** A host, and its port where one is written: the value of `Host`, or the authority of an http URL (RFC 9110 §7.2). */
export interface Authority {
  /** As it is written; an IPv6 address in its brackets. */
  readonly name: string;
  readonly port: number | undefined;
}

/**
 * Reads `name`, `name:port`, `192.0.2.1:80` or `[::1]:80`; anything else is nothing. Narrower than RFC 3986 §3.2.2, whose
 * names may hold percent-encoding and sub-delimiters: what is let through is safe in a URL and in a header field.
 */
export function parseAuthority(text: string): Authority | undefined {
  const [, name, port] = /^([\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?$/i.exec(text) ?? [];
  if (name === undefined || (name.startsWith("[") && !isIPv6(name.slice(1, -1)))) return undefined;
  if (port === undefined) return { name, port };
  const number = Number(port);
  return number >= 1 && number <= 65_535 ? { name, port: number } : undefined;
}
