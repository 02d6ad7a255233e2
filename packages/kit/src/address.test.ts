import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAddress, isLoopback, parseAddress, reachable } from "./address.ts";

test.each([
  ["127.0.0.1:80", { host: "127.0.0.1", port: 80 }],
  [":8080", { host: "", port: 8080 }],
  ["0.0.0.0:0", { host: "0.0.0.0", port: 0 }],
  ["[::1]:443", { host: "::1", port: 443 }],
  ["app.example:65535", { host: "app.example", port: 65535 }],
  ["unix:/run/app.sock", { path: "/run/app.sock" }],
])("%s is an address", (text, address) => expect(parseAddress(text)).toEqual(address));

test.each([
  "",
  "8080",
  "host",
  "host:",
  "host:65536",
  "host:-1",
  "::1:80",
  "[::1]",
  "[x]:1",
  "a b:1",
  "unix:run",
  "http://h:1",
  "h:1\n",
])("%j is none", (text) => expect(() => parseAddress(text)).toThrow(RangeError));

test("a URL is none, and the message says what to leave out", () => {
  for (const scheme of ["http://", "HTTPS://", "h2c://"])
    expect(() => parseAddress(`${scheme}127.0.0.1:80`)).toThrow(`not an address; leave ${scheme} out`);
});

test("what is formatted is parsed to the same address", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant(""));
  const tcp = fc.record({ host, port: fc.integer({ min: 0, max: 65_535 }) });
  const unix = fc.string().map((name) => ({ path: `/${name}` }));
  fc.assert(
    fc.property(fc.oneof(tcp, unix), (address) => {
      expect(parseAddress(formatAddress(address))).toEqual(address);
    }),
  );
});

test.each(["127.0.0.1", "127.255.0.9", "::1", "localhost", "LOCALHOST", "app.localhost", "localhost."])(
  "%s is loopback",
  (host) => expect(isLoopback(host)).toBe(true),
);

test.each([
  "",
  "0.0.0.0",
  "::",
  "10.0.0.1",
  "127.0.0.1.example.com",
  "localhost.example.com",
  "notlocalhost",
  "1127.0.0.1",
])("%j is not", (host) => expect(isLoopback(host)).toBe(false));

test("an address of all interfaces is reached over loopback, any other as it is", () => {
  expect(reachable({ host: "", port: 1 })).toEqual({ host: "127.0.0.1", port: 1 });
  expect(reachable({ host: "0.0.0.0", port: 1 })).toEqual({ host: "127.0.0.1", port: 1 });
  expect(reachable({ host: "::", port: 1 })).toEqual({ host: "::1", port: 1 });
  expect(reachable({ host: "10.0.0.1", port: 1 })).toEqual({ host: "10.0.0.1", port: 1 });
  expect(reachable({ path: "/run/s" })).toEqual({ path: "/run/s" });
});
