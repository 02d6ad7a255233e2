import { describe, expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import { readProxyHeader } from "./read-header.ts";

const text = (line: string) => readProxyHeader(Buffer.from(line, "latin1"));
const binary = (hex: string) => readProxyHeader(Buffer.from(SIGNATURE + hex.replaceAll(" ", ""), "hex"));
const SIGNATURE = "0d0a0d0a000d0a515549540a";

test("the check value of CRC-32C", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
});

describe("version 1", () => {
  test.each([
    ["PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1", 56_324, "198.51.100.1", 443],
    ["PROXY TCP6 2001:DB8::1 ::1 1 65535\r\n", "2001:db8::1", 1, "::1", 65_535],
    ["PROXY TCP6 ::ffff:192.0.2.1 ::1 0 1\r\n", "192.0.2.1", 0, "::1", 1],
  ])("%j", (line, from, fromPort, to, toPort) => {
    expect(text(`${line}after`)).toEqual({
      state: "done",
      length: line.length,
      source: { address: from, port: fromPort },
      destination: { address: to, port: toPort },
    });
  });

  test.each(["PROXY UNKNOWN\r\n", "PROXY UNKNOWN whatever this may be\r\n", `PROXY UNKNOWN ${"f".repeat(91)}\r\n`])(
    "%j tells nothing",
    (line) => {
      expect(text(line)).toEqual({ state: "done", length: line.length });
    },
  );

  test.each([
    ["GET / HTTP/1.1\r\n", /doesn't begin/],
    ["\x16\x03\x01", /doesn't begin/],
    ["PROXX", /doesn't begin with PROXY/],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", /CR and LF/],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX", /CR and LF/],
    ["PROXY UNKNOWN a\nb\r\n", /CR and LF/],
    [`PROXY UNKNOWN ${"f".repeat(93)}`, /within 107/],
    [`PROXY UNKNOWN ${"f".repeat(92)}\r\n`, /within 107/],
    ["PROXY UNKNOWNS\r\n", /neither TCP4/],
    ["PROXY \r\n", /neither TCP4/],
    ["PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n", /neither TCP4/],
    ["PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", /neither TCP4/],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", /more than four/],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", /more than four/],
    ["PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", /more than four/],
    ["PROXY TCP4 ::1 ::1 1 2\r\n", /not one of TCP4/],
    ["PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n", /not one of TCP4/],
    ["PROXY TCP4 192.0.2.1 192.0.2 1 2\r\n", /not one of TCP4/],
    ["PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", /not one of TCP6/],
    ["PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", /not one of TCP6/],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", /a port/],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", /a port/],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", /a port/],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", /a port/],
  ])("%j is refused", (line, reason) => {
    expect(text(line)).toEqual({ state: "malformed", reason: expect.stringMatching(reason) });
  });
});

describe("version 2", () => {
  const ends = "c0000201 c6336401 dc04 01bb"; // 192.0.2.1:56324 → 198.51.100.1:443
  const source = { address: "192.0.2.1", port: 56_324 };
  const destination = { address: "198.51.100.1", port: 443 };

  test("TCP over IPv4, with an authority among TLVs that nobody knows", () => {
    expect(binary(`21 11 0020 ${ends} 04 0000 e0 0003 000000 02 0008 6170702e74657374 1603`)).toEqual({
      state: "done",
      length: 48,
      source,
      destination,
      authority: "app.test",
    });
  });

  test("TCP over IPv6, and an IPv4-mapped address as IPv4", () => {
    const from = "20010db8000000000000000000000001";
    expect(binary(`21 21 0024 ${from} 00000000000000000000ffffc6336401 dc04 01bb`)).toEqual({
      state: "done",
      length: 52,
      source: { address: "2001:db8::1", port: 56_324 },
      destination,
    });
  });

  test.each([
    ["LOCAL", "20 00 0000", 16],
    ["LOCAL with a block that is none of ours", "20 11 0003 ffffff", 19],
    ["no family", "21 00 0005 ffffffffff", 21],
    ["no transport", `21 10 000c ${ends}`, 28],
    ["UDP", `21 12 000c ${ends}`, 28],
    ["unix sockets", `21 31 00d8 ${"2f".repeat(216)}`, 232],
  ])("%s tells nothing, and its length is skipped", (_name, hex, length) => {
    expect(binary(`${hex} 1603`)).toEqual({ state: "done", length });
  });

  test.each([
    ["version 1 in binary", "11", /version is not 2/],
    ["version 3", "31", /version is not 2/],
    ["an unknown command", "22", /command/],
    ["an unknown family", "21 41", /address family/],
    ["an unknown transport", "21 13", /transport/],
    ["too short for IPv4", "21 11 000b c0000201c6336401dc0401", /too short/],
    ["too short for IPv6", `21 21 000c ${ends}`, /too short/],
    ["too short for unix sockets", `21 31 000c ${ends}`, /too short/],
    ["a TLV's head cut off", `21 11 000e ${ends} 0400`, /last TLV/],
    ["a TLV's value cut off", `21 11 0011 ${ends} 040003 0000`, /last TLV/],
    ["a wrong checksum", `21 11 0013 ${ends} 03 0004 00000000`, /checksum/],
    ["a checksum that is no number of 32 bits", `21 11 0012 ${ends} 03 0003 000000`, /checksum/],
  ])("%s is refused", (_name, hex, reason) => {
    expect(binary(hex)).toEqual({ state: "malformed", reason: expect.stringMatching(reason) });
  });

  test("a right checksum is accepted, and no bit of such a header can change unseen", () => {
    const header = Buffer.from(`${SIGNATURE}21110013${ends.replaceAll(" ", "")}03000400000000`, "hex");
    header.writeUInt32BE(crc32c(header), header.length - 4);
    expect(readProxyHeader(header)).toMatchObject({ state: "done", source, destination });
    for (let bit = 16 * 8; bit < header.length * 8; bit++) {
      const changed = Buffer.from(header);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const type = bit >> 3 === 28; // the checksum's TLV becomes another, and nothing is left to check
      expect(readProxyHeader(changed).state, `bit ${bit}`).toBe(type ? "done" : "malformed");
    }
  });
});
