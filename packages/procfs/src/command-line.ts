import { decode } from "./decode.ts";

/**
 * Parses /proc/PID/cmdline: arguments, each ended by a NUL. Empty for kernel threads and zombies.
 *
 * A process that rewrote its title leaves NULs up to the old length, or one text without an ending NUL and perhaps padded with
 * spaces: both kinds of padding are dropped, and with them empty arguments at the very end, which look the same.
 */
export function parseCommandLine(bytes: Uint8Array): string[] {
  let end = bytes.length;
  const padding = bytes[end - 1] === NUL ? NUL : SPACE;
  while (end > 0 && bytes[end - 1] === padding) end--;
  return end === 0 ? [] : decode(bytes.subarray(0, end)).split("\0");
}

const NUL = 0;
const SPACE = 32;
