import fc from "fast-check";
import { expect, test } from "vitest";
import { type AccessEntry, accessLine } from "./access-line.ts";

const entry: AccessEntry = {
  time: Date.UTC(2026, 9, 5, 3, 4, 5, 678),
  client: "192.0.2.1",
  method: "GET",
  target: "/search?token=secret",
  protocol: "HTTP/1.1",
  status: 200,
  bytesSent: 2326,
  bytesReceived: 0,
  duration: 12.345_678,
  upstreamTime: 11.5,
  tlsVersion: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  alpn: "http/1.1",
  serverName: "app.test",
  clientSubject: "CN=client",
  reason: "the client certificate is not trusted",
  host: "app.test:8443",
  referer: "https://app.test/reset?token=secret#there",
  userAgent: "Mozilla/5.0 (X11)",
  outcome: "complete",
};
const failed: AccessEntry = { ...entry, error: "its Transfer-Encoding isn't chunked", outcome: "app-failed" };
const bare: AccessEntry = {
  time: entry.time,
  client: "2001:db8::1",
  method: "HEAD",
  target: "/",
  protocol: "HTTP/2.0",
  status: 499,
  bytesSent: 0,
  bytesReceived: 7,
  duration: 0,
  outcome: "client-gone",
};
const json = (one: AccessEntry, query = false) => JSON.parse(accessLine("json", query)(one)) as Record<string, unknown>;
const combined = (one: Partial<AccessEntry> = {}, query = false) => accessLine("combined", query)({ ...entry, ...one });

test("JSON has it all, in the shape of the log's own lines", () => {
  expect(json(entry)).toEqual({
    level: "info",
    time: "2026-10-05T03:04:05.678Z",
    sidecar: "tls-proxy",
    msg: "access",
    client: "192.0.2.1",
    method: "GET",
    target: "/search",
    protocol: "HTTP/1.1",
    status: 200,
    bytesSent: 2326,
    bytesReceived: 0,
    durationMs: 12.346,
    upstreamMs: 11.5,
    tlsVersion: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    alpn: "http/1.1",
    serverName: "app.test",
    clientSubject: "CN=client",
    reason: "the client certificate is not trusted",
    host: "app.test:8443",
    referer: "https://app.test/reset",
    userAgent: "Mozilla/5.0 (X11)",
    outcome: "complete",
  });
});

test("JSON says why the app failed", () => {
  expect(json(failed)).toMatchObject({ error: failed.error, outcome: "app-failed" });
});

test("JSON leaves out what isn't known", () => {
  expect(Object.keys(json(bare))).toEqual(
    ["level", "time", "sidecar", "msg", "client", "method", "target", "protocol", "status", "bytesSent"].concat([
      "bytesReceived",
      "durationMs",
      "outcome",
    ]),
  );
});

test("of several workers JSON says which one it was", () => {
  expect(JSON.parse(accessLine("json", false, 2)(bare))).toMatchObject({ worker: 2, msg: "access" });
});

test("combined is Apache's, byte for byte", () => {
  expect(combined()).toBe(
    '192.0.2.1 - - [05/Oct/2026:03:04:05 +0000] "GET /search HTTP/1.1" 200 2326 "https://app.test/reset" "Mozilla/5.0 (X11)"\n',
  );
  expect(accessLine("combined", false)(bare)).toBe(
    '2001:db8::1 - - [05/Oct/2026:03:04:05 +0000] "HEAD / HTTP/2.0" 499 - "-" "-"\n',
  );
});

test("queries are logged only where that was asked for", () => {
  expect(combined()).not.toContain("secret");
  expect(JSON.stringify(json(entry))).not.toContain("secret");
  expect(combined({}, true)).toContain('"GET /search?token=secret HTTP/1.1"');
  expect(json(entry, true)).toMatchObject({ target: entry.target, referer: entry.referer });
});

test("combined escapes as Apache does", () => {
  const userAgent = 'a"b\\c\r\n\t\v\b\x00\x1b[31m\x7f\x9b\xe9\xff';
  expect(combined({ userAgent })).toMatch(/ "a\\"b\\\\c\\r\\n\\t\\v\\b\\x00\\x1b\[31m\\x7f\\x9b\\xe9\\xff"\n$/);
});

test("JSON gives back the very bytes", () => {
  const userAgent = Array.from({ length: 80 }, (_, index) => String.fromCharCode((index * 13) % 256)).join("");
  expect(json({ ...entry, userAgent })).toMatchObject({ userAgent });
});

test("a text that is too long is cut off, and shows it", () => {
  expect(json({ ...entry, userAgent: "x".repeat(600) })["userAgent"]).toBe(`${"x".repeat(509)}...`);
  expect(json({ ...entry, userAgent: "x".repeat(512) })["userAgent"]).toBe("x".repeat(512));
  expect(json({ ...entry, userAgent: "\x01".repeat(512) })["userAgent"]).toBe(`${"\x01".repeat(84)}...`);
});

const COMBINED =
  /^(?:[^"\\ ]|\\.)* - - \[[^\]]+\] "(?:[^"\\]|\\.)*" \d{3} (?:\d+|-) "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"\n$/;

test("whatever is sent, it is one line of printable ASCII, no longer than 4096, and reads as it should", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.tuple(fc.nat(255), fc.nat(6_000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
  );
  const text = bytes.map((one) => Buffer.from(one).toString("latin1"));
  const hostile = fc.record({
    method: text,
    target: text,
    protocol: text,
    host: text,
    referer: text,
    userAgent: text,
    serverName: text,
    clientSubject: text,
    reason: text,
    cipher: text,
    alpn: text,
    tlsVersion: text,
    error: text,
  });
  fc.assert(
    fc.property(hostile, (sent) => {
      const numbers = {
        bytesSent: Number.MAX_SAFE_INTEGER,
        bytesReceived: Number.MAX_SAFE_INTEGER,
        duration: 1e12 / 7,
      };
      const one = { ...entry, ...sent, ...numbers, upstreamTime: 1e12 / 7, outcome: "client-gone" as const };
      for (const format of ["json", "combined"] as const) {
        const line = accessLine(format, true)(one);
        expect(line).toMatch(/^[\x20-\x7e]+\n$/);
        expect(line.length).toBeLessThanOrEqual(4096);
        if (format === "json") expect(JSON.parse(line)).toMatchObject({ msg: "access", outcome: "client-gone" });
        else expect(line).toMatch(COMBINED);
      }
    }),
  );
});

test("the longest of all has no more than 4096 bytes", () => {
  const longest = "\xff".repeat(40_000);
  const all = Object.fromEntries(
    Object.entries(failed).map(([key, value]) => [
      key,
      typeof value === "string" && key !== "outcome" ? longest : value,
    ]),
  ) as unknown as AccessEntry;
  for (const format of ["json", "combined"] as const)
    expect(accessLine(format, true, 128)(all).length).toBeLessThanOrEqual(4096);
});
