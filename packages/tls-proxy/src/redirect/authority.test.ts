import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAuthority } from "./authority.ts";

test.each([
  ["app.test", "app.test", undefined],
  ["App_1.test:8443", "App_1.test", 8443],
  ["192.0.2.1:80", "192.0.2.1", 80],
  ["[2001:db8::1]", "[2001:db8::1]", undefined],
  ["[::ffff:192.0.2.1]:65535", "[::ffff:192.0.2.1]", 65_535],
])("%s is a name and a port", (text, name, port) => {
  expect(parseAuthority(text)).toEqual({ name, port });
});

test.each([
  "",
  ":80",
  "app.test:",
  "app.test:0",
  "app.test:65536",
  "app.test:80:80",
  "app.test:+80",
  "user@app.test",
  "app.test/path",
  "app.test\\evil.test",
  "app.test#",
  "app.test?x",
  "app%2etest",
  "app.test\r\nX: y",
  "app.test\n",
  " app.test",
  "2001:db8::1",
  "[::1",
  "[::1]x",
  "[1:2]",
  "[fe80::1%25eth0]",
  "bücher.test",
  "a".repeat(254),
])("%j is none", (text) => {
  expect(parseAuthority(text)).toBeUndefined();
});

test("what is let through is the whole host of a URL, whatever was sent", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 20 }), (noise) => {
      for (const text of [noise, `app.test${noise}`, `[::1]${noise}`]) {
        const authority = parseAuthority(text);
        if (!authority) continue;
        const url = URL.parse(`https://${text}/`);
        if (!url) continue; // an IPv4 address that is out of range: clients refuse it as well
        expect([url.username, url.pathname, url.search, url.hash]).toEqual(["", "/", "", ""]);
      }
    }),
  );
});
