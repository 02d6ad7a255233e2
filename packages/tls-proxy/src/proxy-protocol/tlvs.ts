/** A type, a length and a value, as many of which end a header of version 2. */
export interface Tlv {
  readonly type: number;
  readonly value: Buffer;
  /** Where the value begins in the header. */
  readonly offset: number;
}

/** All that stand between `start` and the end, or nothing when the last one is cut off. */
export function readTlvs(header: Buffer, start: number): readonly Tlv[] | undefined {
  const tlvs: Tlv[] = [];
  let next = start;
  while (next < header.length) {
    const offset = next + 3;
    if (offset > header.length) return undefined;
    const end = offset + header.readUInt16BE(next + 1);
    if (end > header.length) return undefined;
    tlvs.push({ type: header.readUInt8(next), value: header.subarray(offset, end), offset });
    next = end;
  }
  return tlvs;
}

export function writeTlv(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
