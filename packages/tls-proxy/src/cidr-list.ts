import { BlockList, isIP, isIPv4 } from "node:net";
import type { OptionType } from "@pillion/kit";
import { addressBytes, canonicalAddress } from "./ip-address.ts";

/** A network: the address has no bits set beyond the prefix. */
export interface Cidr {
  readonly address: string;
  /** In bits. */
  readonly prefix: number;
}

/** `10.0.0.0/8`, `fd00::/8`, or an address alone. For options that may be repeated; `isTrusted` asks all of them. */
export const cidr: OptionType<Cidr> = {
  placeholder: "CIDR",
  expects: "a network such as 10.0.0.0/8 or fd00::/8, or an address",
  parse(text) {
    const [, address = "", digits] = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
    if (isIP(address) === 0) throw new RangeError("not a network");
    const bits = isIPv4(address) ? 32 : 128;
    const prefix = Number(digits ?? bits);
    if (prefix > bits)
      throw new RangeError(`a prefix of ${isIPv4(address) ? "IPv4" : "IPv6"} has at most ${bits} bits`);
    if (hasHostBits(addressBytes(address), prefix)) throw new RangeError("bits are set beyond the prefix");
    return { address, prefix };
  },
  is: (value) => value instanceof Object && "address" in value && "prefix" in value,
  format: ({ address, prefix }) => `${address}/${prefix}`,
};

/** Makes the question whether an address is in one of the networks. What is no IP address is in none. */
export function isTrusted(networks: readonly Cidr[]): (address: string | undefined) => boolean {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const { address, prefix } of networks) list.addSubnet(address, prefix, familyOf(address));
  return (address) => {
    if (address === undefined || isIP(address) === 0) return false;
    const canonical = canonicalAddress(address); // an IPv4-mapped address is meant as IPv4
    return list.check(canonical, familyOf(canonical));
  };
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}

function hasHostBits(bytes: Buffer, prefix: number): boolean {
  return bytes.some((byte, index) => {
    const fixed = Math.min(8, Math.max(0, prefix - index * 8));
    return (byte & (0xff >> fixed)) !== 0;
  });
}
