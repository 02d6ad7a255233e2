import { INCOMPLETE, malformed, type ProxyHeaderReading, SIGNATURE } from "./header.ts";
import { readVersion1 } from "./version-1.ts";
import { readVersion2 } from "./version-2.ts";

/**
 * Reads the PROXY protocol's header, version 1 or 2, at the start of what a connection sent so far. It says so as soon as
 * it can't be one any more, and holds no state: call it again with more bytes.
 *
 * Source: HAProxy's doc/proxy-protocol.txt, section 2.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeaderReading {
  if (bytes.length === 0) return INCOMPLETE;
  if (bytes[0] === SIGNATURE[0]) return readVersion2(bytes);
  if (bytes[0] === LETTER_P) return readVersion1(bytes);
  return malformed("it doesn't begin with a PROXY protocol header");
}

const LETTER_P = 0x50;
