import fc from "fast-check";
import { expect, test } from "vitest";
import { addressBytes, addressText, canonicalAddress } from "./ip-address.ts";

test("one spelling: IPv6 as RFC 5952 writes it, mapped IPv4 as IPv4", () => {
  expect(
    ["192.0.2.1", "FD00:0:0::1", "::ffff:192.0.2.1", "::FFFF:c000:201", "fe80::1%eth0", "::"].map(canonicalAddress),
  ).toEqual(["192.0.2.1", "fd00::1", "192.0.2.1", "192.0.2.1", "fe80::1", "::"]);
});

test("text and bytes are two forms of the same address", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
      (bytes) => {
        expect(addressBytes(addressText(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
      },
    ),
  );
});
