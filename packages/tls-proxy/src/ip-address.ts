import { isIPv4, isIPv6 } from "node:net";

/** An IP address in network byte order: 4 bytes or 16. The text has to be one; a zone (`%eth0`) is left out. */
export function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split(".").map(Number));
  // WHATWG URL writes any IPv6 notation, IPv4 tails included, in one canonical hexadecimal form.
  const canonical = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1);
  const [left = "", right = ""] = canonical.split("::");
  const groups = (side: string) => (side === "" ? [] : side.split(":"));
  const missing = 8 - groups(left).length - groups(right).length;
  const all = [...groups(left), ...Array<string>(missing).fill("0"), ...groups(right)];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** The text of an address of 4 or 16 bytes: IPv6 as RFC 5952 writes it, an IPv4-mapped one as IPv4. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.subarray(0, 12).equals(MAPPED)) return bytes.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** The one spelling of an address; a socket that listens on all interfaces shows IPv4 peers as `::ffff:192.0.2.1`. */
export function canonicalAddress(address: string): string {
  return isIPv4(address) ? address : addressText(addressBytes(address));
}

/** `::ffff:0:0/96`, RFC 4291 §2.5.5.2. */
export const MAPPED: Buffer = Buffer.from("00000000000000000000ffff", "hex");
