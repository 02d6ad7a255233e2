import { addressText } from "../ip-address.ts";
import { INCOMPLETE, malformed, type ProxyHeader, type ProxyHeaderReading, SIGNATURE, TLV } from "./header.ts";
import { type Tlv, readTlvs } from "./tlvs.ts";
import { crc32c } from "./crc32c.ts";

/** The binary header (proxy-protocol.txt, section 2.2). */
export function readVersion2(bytes: Buffer): ProxyHeaderReading {
  const signature = bytes.subarray(0, SIGNATURE.length);
  if (!signature.equals(SIGNATURE.subarray(0, signature.length))) return malformed("version 2's signature is wrong");
  const [versionAndCommand, familyAndTransport] = bytes.subarray(SIGNATURE.length);
  if (versionAndCommand === undefined) return INCOMPLETE;
  if (versionAndCommand >> 4 !== 2) return malformed("the binary header's version is not 2");
  const command = versionAndCommand & 0xf;
  if (command > PROXY) return malformed("version 2's command is neither LOCAL nor PROXY");
  if (familyAndTransport === undefined) return INCOMPLETE;
  if (familyAndTransport >> 4 > MAX_FAMILY || (familyAndTransport & 0xf) > MAX_TRANSPORT)
    return malformed("version 2's address family or transport is not one of the protocol's");
  if (bytes.length < FIXED_LENGTH) return INCOMPLETE;
  const length = FIXED_LENGTH + bytes.readUInt16BE(SIGNATURE.length + 2);
  if (bytes.length < length) return INCOMPLETE;
  // LOCAL: a health check of the sender's own. What it carries is to be skipped.
  if (command === LOCAL) return { state: "done", length };
  return readBlock(bytes.subarray(0, length), familyAndTransport);
}

const LOCAL = 0;
const PROXY = 1;
const MAX_FAMILY = 3;
const MAX_TRANSPORT = 2;
/** Signature, version and command, family and transport, length of the rest. */
const FIXED_LENGTH = 16;
/** Both addresses with their ports, in bytes, by family: AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX. */
const ADDRESS_BLOCK = [0, 12, 36, 216];

function readBlock(header: Buffer, familyAndTransport: number): ProxyHeaderReading {
  const { length } = header;
  // Without a family or a transport there is no telling where addresses would end: all is skipped.
  if (familyAndTransport >> 4 === 0 || (familyAndTransport & 0xf) === 0) return { state: "done", length };
  const tlvsAt = FIXED_LENGTH + (ADDRESS_BLOCK[familyAndTransport >> 4] ?? 0);
  if (length < tlvsAt) return malformed("version 2 is too short for its addresses");
  const tlvs = readTlvs(header, tlvsAt);
  if (!tlvs) return malformed("version 2's last TLV ends behind the header");
  if (!tlvs.every((tlv) => tlv.type !== TLV.CRC32C || isChecksum(header, tlv)))
    return malformed("version 2's checksum is wrong");
  const authority = tlvs.find(({ type }) => type === TLV.AUTHORITY);
  return {
    state: "done",
    length,
    ...readEndpoints(header.subarray(FIXED_LENGTH, tlvsAt), familyAndTransport),
    ...(authority && { authority: authority.value.toString("utf8") }),
  };
}

/** Only of TCP: the paths of unix sockets and the addresses of datagrams say nothing about a client of TLS. */
function readEndpoints(block: Buffer, familyAndTransport: number): Pick<ProxyHeader, "source" | "destination"> {
  if (familyAndTransport !== TCP4 && familyAndTransport !== TCP6) return {};
  const size = familyAndTransport === TCP4 ? 4 : 16;
  const endpoint = (index: number) => ({
    address: addressText(block.subarray(index * size, (index + 1) * size)),
    port: block.readUInt16BE(size * 2 + index * 2),
  });
  return { source: endpoint(0), destination: endpoint(1) };
}

const TCP4 = 0x11;
const TCP6 = 0x21;

/** The checksum is of the whole header with zeros in the checksum's own place (section 2.2.3). */
function isChecksum(header: Buffer, { value, offset }: Tlv): boolean {
  if (value.length !== 4) return false;
  const zeroed = Buffer.from(header).fill(0, offset, offset + 4);
  return crc32c(zeroed) === value.readUInt32BE(0);
}
