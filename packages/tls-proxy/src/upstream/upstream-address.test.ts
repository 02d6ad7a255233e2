import { expect, test } from "vitest";
import { upstreamAddress } from "./upstream-address.ts";

test.each([
  ["127.0.0.1:8080", { host: "127.0.0.1", port: 8080 }],
  ["unix:/run/app.sock", { path: "/run/app.sock" }],
  ["h2c://127.0.0.1:50051", { host: "127.0.0.1", port: 50_051, h2c: true }],
  ["h2c://[::1]:50051", { host: "::1", port: 50_051, h2c: true }],
  ["h2c://unix:/run/app.sock", { path: "/run/app.sock", h2c: true }],
])("%s is read, and written back", (text, address) => {
  expect(upstreamAddress.parse(text)).toEqual(address);
  expect(upstreamAddress.format?.(upstreamAddress.parse(text))).toBe(text);
});

test.each(["http://127.0.0.1:8080", "h2c://", "h2c://app", "h2c:127.0.0.1:1", "H2C://127.0.0.1:1", "h2c://app:1/path"])(
  "%s is refused",
  (text) => {
    expect(() => upstreamAddress.parse(text)).toThrow(RangeError);
  },
);
