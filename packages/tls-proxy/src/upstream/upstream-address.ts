import { type Address, type OptionType, formatAddress, isAddress, parseAddress } from "@pillion/kit";

/** Where the app listens, and whether it speaks HTTP/2 without TLS there. */
export type UpstreamAddress = Address & { readonly h2c?: true };

const H2C = "h2c://";

/** An address, with `h2c://` before it for an app that speaks HTTP/2 alone, as gRPC servers do. */
export const upstreamAddress: OptionType<UpstreamAddress> = {
  placeholder: "ADDRESS",
  expects: "host:port, [v6]:port or unix:/path, with h2c:// before it for an app that speaks HTTP/2",
  parse: (text) => (text.startsWith(H2C) ? { ...parseAddress(text.slice(H2C.length)), h2c: true } : parseAddress(text)),
  is: isAddress,
  format: (address) => `${address.h2c ? H2C : ""}${formatAddress(address)}`,
};
