import { isUtf8 } from "node:buffer";
import type { Finding } from "./finding.ts";

/** Bytes as text, a byte order mark included. */
export function decodeText(bytes: Uint8Array, encoding = "utf-8"): string | Finding {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) return { line: 1, column: 1, reason: "the encoding is not known here" };
    return { line: lineOfMalformed(bytes), column: 1, reason: `not text in ${encoding.toUpperCase()}` };
  }
}

/** A line feed is never a part of a longer character in UTF-8, so each line can be looked at by itself. */
function lineOfMalformed(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(10, start);
    const end = feed === -1 ? bytes.length : feed;
    if (!isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
  return 1;
}
