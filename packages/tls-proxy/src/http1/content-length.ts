import { isDigit } from "./bytes.ts";

/** Digits that a number holds exactly: 2^53−1 has 16. */
const MAX_DIGITS = 16;

/** The value of a Content-Length (RFC 9110 §8.6): digits alone, at most 2^53−1; -1 for everything else. */
export function contentLength(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > MAX_DIGITS) return -1;
  let length = 0;
  for (let index = start; index < end; index++) {
    const octet = bytes[index] ?? 0;
    if (!isDigit(octet)) return -1;
    length = length * 10 + (octet - 0x30);
  }
  return Number.isSafeInteger(length) ? length : -1;
}
