import { isIP } from "node:net";
import { addressBytes } from "../ip-address.ts";

/**
 * The DER value of an X.509 NameConstraints extension (RFC 5280 §4.2.1.10) that permits only these host names and
 * addresses: a name stands for itself and its subdomains, an address for itself alone.
 */
export function nameConstraints(names: readonly string[]): Buffer {
  return tlv(SEQUENCE, tlv(PERMITTED_SUBTREES, ...names.map(subtree)));
}

/** Whether constraints in the form above permit `name`, itself or as a subdomain of a permitted one. */
export function permits(constraints: Buffer, name: string): boolean {
  return selfAndParents(name).some((base) => constraints.includes(subtree(base)));
}

const SEQUENCE = 0x30;
const PERMITTED_SUBTREES = 0xa0; // [0], constructed
const DNS_NAME = 0x82; // GeneralName [2] IA5String
const IP_ADDRESS = 0x87; // GeneralName [7] OCTET STRING

/** A GeneralSubtree; `*.app.test` is permitted by `app.test`. */
function subtree(name: string): Buffer {
  if (isIP(name) === 0) return tlv(SEQUENCE, tlv(DNS_NAME, Buffer.from(name.replace(/^\*\./, ""), "ascii")));
  const address = addressBytes(name);
  return tlv(SEQUENCE, tlv(IP_ADDRESS, address, Buffer.alloc(address.length, 0xff))); // address and mask
}

function selfAndParents(name: string): string[] {
  if (isIP(name) !== 0) return [name];
  const labels = name.split(".");
  return labels.map((_, index) => labels.slice(index).join("."));
}

/** One DER element: tag, length (X.690 §8.1.3), content. */
function tlv(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
