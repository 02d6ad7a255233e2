import { expect, test } from "vitest";
import { cidr, isTrusted } from "./cidr-list.ts";

test.each([
  ["10.0.0.0/8", { address: "10.0.0.0", prefix: 8 }],
  ["192.0.2.1", { address: "192.0.2.1", prefix: 32 }],
  ["fd00::/9", { address: "fd00::", prefix: 9 }],
  ["::1", { address: "::1", prefix: 128 }],
  ["0.0.0.0/0", { address: "0.0.0.0", prefix: 0 }],
])("%s is a network", (text, network) => {
  expect(cidr.parse(text)).toEqual(network);
});

test.each([
  ["", /not a network/],
  ["10.0.0.0/33", /at most 32/],
  ["::/129", /at most 128/],
  ["10.0.0.1/8", /beyond the prefix/],
  ["10.128.0.0/8", /beyond the prefix/],
  ["fd80::/8", /beyond the prefix/],
  ["10.0.0/8", /not a network/],
  ["10.0.0.0/", /not a network/],
  ["10.0.0.0/-1", /not a network/],
  ["fe80::1%eth0", /not a network/],
  ["app.test", /not a network/],
])("%j is none", (text, reason) => {
  expect(() => cidr.parse(text)).toThrow(reason);
});

test("an address is trusted in any of the networks, IPv4 also in its mapped form, and in no other", () => {
  const trusts = isTrusted(["10.0.0.0/8", "192.0.2.7", "fd00::/8"].map((text) => cidr.parse(text)));
  const asked = (addresses: (string | undefined)[]) => addresses.map(trusts);
  expect(asked(["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "fd12::1"])).toEqual([true, true, true, true]);
  expect(asked(["11.1.2.3", "::ffff:11.1.2.3", "192.0.2.8", "fe80::1%eth0"])).toEqual([false, false, false, false]);
  expect(asked(["", "app.test", undefined])).toEqual([false, false, false]);
  expect(isTrusted([])("127.0.0.1")).toBe(false);
});
