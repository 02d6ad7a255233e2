import { NAME, isDigit } from "./bytes.ts";
import type { RequestHead } from "./request-head.ts";

/** Longer than any name there is (RFC 1035 §2.3.4: 255) with a port. */
const MAX_HOST = 300;

/**
 * RFC 9112 §3.2: exactly one Host in HTTP/1.1, `uri-host [ ":" port ]` (RFC 3986 §3.2.2); the authority of an
 * absolute-form target by the same rule. More than one was refused before.
 */
export function malformedHost(head: RequestHead): string | undefined {
  const { bytes, fields, host } = head;
  if (head.authorityEnd > head.authorityStart && !isHost(bytes, head.authorityStart, head.authorityEnd))
    return "the host in the request target is malformed";
  if (host < 0) return head.minorVersion === 0 ? undefined : "there is no Host field";
  return isHost(bytes, fields.valueStart[host] ?? 0, fields.valueEnd[host] ?? 0)
    ? undefined
    : "the Host field is malformed";
}

/** `NAME`'s octets without those that a registered name has no use for, and with an IPv6 address in brackets. */
function isHost(bytes: Buffer, start: number, end: number): boolean {
  if (end === start || end - start > MAX_HOST) return false;
  let position = start;
  while (position < end && HOST[bytes[position] ?? 0] !== 0) position++;
  if (position === end) return position > start;
  if (position > start && bytes[position] === 0x3a) return isPort(bytes, position + 1, end);
  return /^\[[0-9a-f:.]+\](:\d{1,5})?$/i.test(bytes.toString("latin1", start, end));
}

function isPort(bytes: Buffer, start: number, end: number): boolean {
  let position = start;
  while (position < end && isDigit(bytes[position])) position++;
  return position === end && end - start <= 5;
}

/** `unreserved`, `pct-encoded` and `sub-delims` (RFC 3986 §2) without quotes, parentheses, commas and semicolons. */
const HOST = Uint8Array.from({ length: 256 }, (_, octet) =>
  Number(NAME[octet] !== 0 && !"#'^`|".includes(String.fromCharCode(octet))),
);
