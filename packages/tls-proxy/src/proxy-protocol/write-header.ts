import { isIPv4 } from "node:net";
import { MAPPED, addressBytes, addressText } from "../ip-address.ts";
import { type ProxyHeader, type ProxyHeaderTls, SIGNATURE, TLV } from "./header.ts";
import { writeTlv } from "./tlvs.ts";

/** The header that goes ahead of a connection's own bytes. Version 1 has room for the addresses alone. */
export function writeProxyHeader(version: "v1" | "v2", header: ProxyHeader): Buffer {
  return version === "v1" ? Buffer.from(writeVersion1(header), "latin1") : writeVersion2(header);
}

function writeVersion1({ source, destination }: ProxyHeader): string {
  if (!source || !destination) return "PROXY UNKNOWN\r\n";
  const [from, to] = [source.address, destination.address];
  const ports = `${source.port} ${destination.port}\r\n`;
  if (isIPv4(from) && isIPv4(to)) return `PROXY TCP4 ${from} ${to} ${ports}`;
  return `PROXY TCP6 ${inIPv6(from)} ${inIPv6(to)} ${ports}`;
}

function inIPv6(address: string): string {
  return isIPv4(address) ? `::ffff:${address}` : addressText(addressBytes(address));
}

function writeVersion2(header: ProxyHeader): Buffer {
  const { source, destination, alpn, authority, tls } = header;
  const { family, block } = addressBlock(source, destination);
  const rest = Buffer.concat([
    block,
    ...(alpn === undefined ? [] : [writeTlv(TLV.ALPN, alpn)]),
    ...(authority === undefined ? [] : [writeTlv(TLV.AUTHORITY, authority)]),
    ...(tls === undefined ? [] : [writeTls(tls)]),
  ]);
  const fixed = Buffer.from([VERSION_2_PROXY, family, rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, rest]);
}

const VERSION_2_PROXY = 0x21;

/** Two families at once have no form of their own: both ends are written as IPv6 then. */
function addressBlock(
  source: ProxyHeader["source"],
  destination: ProxyHeader["destination"],
): { readonly family: number; readonly block: Buffer } {
  if (!source || !destination) return { family: UNSPECIFIED, block: Buffer.alloc(0) };
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const addresses = [addressBytes(source.address), addressBytes(destination.address)];
  if (addresses.every(({ length }) => length === 4))
    return { family: TCP4, block: Buffer.concat([...addresses, ports]) };
  const wide = addresses.map((bytes) => (bytes.length === 4 ? Buffer.concat([MAPPED, bytes]) : bytes));
  return { family: TCP6, block: Buffer.concat([...wide, ports]) };
}

const UNSPECIFIED = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;

/** PP2_TYPE_SSL (section 2.2.6): a bit field of what the client has, the outcome of its check, and TLVs within the TLV. */
function writeTls({ version, cipher, client }: ProxyHeaderTls): Buffer {
  const flags = OVER_TLS | (client ? CERTIFICATE_ON_CONNECTION | CERTIFICATE_IN_SESSION : 0);
  const outcome = client?.verified ? 0 : 1; // four bytes, zero for a certificate that was verified
  const value = [Buffer.from([flags, 0, 0, 0, outcome]), writeTlv(TLV.TLS_VERSION, version)];
  value.push(writeTlv(TLV.TLS_CIPHER, cipher));
  if (client?.commonName !== undefined) value.push(writeTlv(TLV.TLS_COMMON_NAME, client.commonName));
  return writeTlv(TLV.TLS, Buffer.concat(value));
}

const OVER_TLS = 0x01;
const CERTIFICATE_ON_CONNECTION = 0x02;
const CERTIFICATE_IN_SESSION = 0x04;
