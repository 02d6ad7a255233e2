import fc from "fast-check";
import { expect, test } from "vitest";
import { httpsLocation } from "./https-location.ts";

const app = { host: "127.0.0.1", port: 8080 };

test.each([
  ["http://app.test/x", "app.test", "https://app.test/x"],
  ["HTTP://App.TEST/X?y=1#z", "app.test", "https://app.test/X?y=1#z"],
  ["http://app.test", "app.test", "https://app.test"],
  ["http://app.test?x", "app.test", "https://app.test?x"],
  ["http://app.test/x", "app.test:8443", "https://app.test:8443/x"],
  ["http://app.test:80/x", "app.test:8443", "https://app.test:8443/x"],
  ["http://app.test:8443/x", "app.test:8443", "https://app.test:8443/x"],
  ["http://app.test:443/x", "app.test", "https://app.test/x"],
  ["http://app.test:8080/x", "app.test", "https://app.test/x"],
  ["http://127.0.0.1:8080/x", "app.test", "https://app.test/x"],
  ["http://localhost:8080/x", "app.test:8443", "https://app.test:8443/x"],
  ["http://[::1]:8080/x", "app.test", "https://app.test/x"],
  ["http://[2001:DB8::1]/x", "[2001:db8::1]", "https://[2001:db8::1]/x"],
  ["http://app.test/caf\xe9/%2e%2e//?a=http://b", "app.test", "https://app.test/caf\xe9/%2e%2e//?a=http://b"],
])("%s for %s becomes %s", (value, host, expected) => {
  expect(httpsLocation(value, host, app)).toBe(expected);
});

test.each([
  ["another host", "http://other.test/x"],
  ["a name that only begins alike", "http://app.test.evil.test/"],
  ["a name that only ends alike", "http://evil-app.test/"],
  ["another port of the same name", "http://app.test:9000/x"],
  ["another port of loopback", "http://localhost:9000/x"],
  ["loopback without a port", "http://localhost/x"],
  ["https already", "https://app.test/x"],
  ["a path", "/x"],
  ["a path that names no scheme", "//app.test/x"],
  ["a relative one", "x?u=http://app.test/"],
  ["user information", "http://user@app.test/"],
  ["a host behind a backslash", "http://app.test\\@evil.test/"],
  ["no host", "http:///app.test"],
  ["half a URL", "http://"],
  ["an impossible port", "http://app.test:99999/"],
  ["garbage", "\x01\xff http://app.test"],
  ["nothing", ""],
])("%s stays as it is", (_name, value) => {
  expect(httpsLocation(value, "app.test", app)).toBe(value);
});

test("an app on a unix socket, or elsewhere, has no other names", () => {
  expect(httpsLocation("http://localhost:8080/", "app.test", { path: "/run/app.sock" })).toBe("http://localhost:8080/");
  expect(httpsLocation("http://localhost:80/", "app.test", { host: "app", port: 80 })).toBe("http://localhost:80/");
  expect(httpsLocation("http://app:80/", "app.test", { host: "app", port: 80 })).toBe("https://app.test/");
});

test("a host that isn't one changes nothing", () => {
  for (const host of ["", "a b", "x\r\ny", "app.test/"]) {
    expect(httpsLocation("http://app.test/", host, app)).toBe("http://app.test/");
  }
});

test("it never throws, and what it changes is only how the URL begins", () => {
  const piece = fc.constantFrom(
    "http://",
    "HTTP://",
    "app.test",
    ":8080",
    ":80",
    "/",
    "?",
    "#",
    "@",
    "\\",
    "[::1]",
    "\xff",
    " ",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const value = pieces.join("");
      const result = httpsLocation(value, "app.test", app);
      if (result === value) return;
      expect(result).toMatch(/^https:\/\/app\.test([/?#]|$)/);
      expect(value.endsWith(result.slice("https://app.test".length))).toBe(true);
    }),
  );
});
