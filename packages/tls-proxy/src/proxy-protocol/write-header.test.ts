import fc from "fast-check";
import { expect, test } from "vitest";
import { addressText } from "../ip-address.ts";
import type { ProxyHeaderTls } from "./header.ts";
import { readProxyHeader } from "./read-header.ts";
import { writeProxyHeader } from "./write-header.ts";

const address = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => addressText(Buffer.from(bytes)));
const endpoint = fc.record({ address: fc.oneof(address(4), address(16)), port: fc.nat(65_535) });
const tls = fc.record(
  {
    version: fc.constantFrom("TLSv1.2", "TLSv1.3"),
    cipher: fc.string(),
    client: fc.record({ verified: fc.boolean(), commonName: fc.string() }, { requiredKeys: ["verified"] }),
  },
  { requiredKeys: ["version", "cipher"] },
);
const header = fc.record(
  {
    source: endpoint,
    destination: endpoint,
    authority: fc.string({ unit: "grapheme", maxLength: 200 }),
    alpn: fc.string(),
    tls,
  },
  { requiredKeys: ["source", "destination"] },
);
const written = fc.tuple(fc.constantFrom("v1" as const, "v2" as const), header, fc.uint8Array({ maxLength: 20 }));

test("what is written is read again, whatever follows it", () => {
  fc.assert(
    fc.property(written, ([version, content, behind]) => {
      const { source, destination, authority } = content;
      const bytes = writeProxyHeader(version, content);
      expect(readProxyHeader(Buffer.concat([bytes, behind]))).toEqual({
        state: "done",
        length: bytes.length,
        source,
        destination,
        ...(version === "v2" && authority !== undefined && { authority }),
      });
    }),
  );
});

test("every beginning of a header is incomplete", () => {
  fc.assert(
    fc.property(written, ([version, content]) => {
      const bytes = writeProxyHeader(version, content);
      for (let length = 0; length < bytes.length; length++)
        expect(readProxyHeader(bytes.subarray(0, length))).toEqual({ state: "incomplete" });
    }),
    { numRuns: 30 },
  );
});

test("a signature with any byte changed is malformed as soon as that byte is there", () => {
  const ends = { source: { address: "192.0.2.1", port: 1 }, destination: { address: "192.0.2.2", port: 2 } };
  for (const [version, length] of [
    ["v1", 6],
    ["v2", 13],
  ] as const) {
    for (let index = 0; index < length; index++) {
      for (let value = 0; value < 256; value++) {
        const bytes = writeProxyHeader(version, ends).subarray(0, index + 1);
        const same = bytes[index] === value || (index === 12 && (value === 0x20 || value === 0x21)); // LOCAL, PROXY
        bytes[index] = value;
        const otherVersion = index === 0 && (value === 0x0d || value === 0x50);
        expect(readProxyHeader(bytes).state).toBe(same || otherVersion ? "incomplete" : "malformed");
      }
    }
  }
});

test("any bytes at all are read without an exception, and never as longer than they are", () => {
  const mutated = fc
    .tuple(written, fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }))
    .map(([[version, content], changes]) => {
      const bytes = writeProxyHeader(version, content);
      for (const [index, value] of changes) if (index < bytes.length) bytes[index] = value;
      return bytes;
    });
  fc.assert(
    fc.property(
      fc.oneof(
        mutated,
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      (bytes) => {
        const reading = readProxyHeader(bytes);
        if (reading.state === "done") expect(reading.length).toBeLessThanOrEqual(bytes.length);
      },
    ),
  );
});

test("unknown ends and mixed families", () => {
  const v4 = { address: "192.0.2.1", port: 1 };
  const v6 = { address: "fd00::1", port: 2 };
  expect(writeProxyHeader("v1", {}).toString()).toBe("PROXY UNKNOWN\r\n");
  expect(writeProxyHeader("v1", { source: v4, destination: v6 }).toString()).toBe(
    "PROXY TCP6 ::ffff:192.0.2.1 fd00::1 1 2\r\n",
  );
  expect(readProxyHeader(writeProxyHeader("v2", { authority: "app.test" }))).toEqual({ state: "done", length: 27 });
});

test("what is known of a client's TLS, byte for byte", () => {
  const bytes = (client: Pick<ProxyHeaderTls, "client">) =>
    writeProxyHeader("v2", { tls: { version: "TLSv1.3", cipher: "C", ...client } })
      .subarray(16)
      .toString("latin1");
  const verified = bytes({ client: { commonName: "ada", verified: true } });
  expect(verified).toBe("\x20\0\x19\x07\0\0\0\0\x21\0\x07TLSv1.3\x23\0\x01C\x22\0\x03ada");
  expect(bytes({ client: { verified: false } })).toBe("\x20\0\x13\x07\0\0\0\x01\x21\0\x07TLSv1.3\x23\0\x01C");
  expect(bytes({})).toBe("\x20\0\x13\x01\0\0\0\x01\x21\0\x07TLSv1.3\x23\0\x01C");
});
