import { expect, test } from "vitest";
import { Origin } from "./origin.ts";

const linesFor = (origin: Origin, host: string) => origin.lines(Buffer.from(`<${host}>`), 1, host.length + 1);

test.each([
  ["192.0.2.7", "192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"],
  ["2001:db8::1", "2001:db8::1", '"[2001:db8::1]"'],
  ["fe80::1%eth0", "fe80::1", '"[fe80::1]"'],
])("a client at %s is %s, and in Forwarded %s (RFC 7239 §6)", (address, shown, node) => {
  expect(linesFor(new Origin({ client: { address } }), "app")).toBe(
    `X-Forwarded-For: ${shown}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: app\r\nX-Forwarded-Port: 443\r\nForwarded: for=${node};host="app";proto=https\r\n`,
  );
});

test("a client without an address, as on a unix socket, is unknown", () => {
  expect(linesFor(new Origin({}), "app")).toMatch(/^X-Forwarded-For: unknown\r\n[^]*for=unknown;/);
});

test("the port is that in Host, and lines follow the host from request to request", () => {
  const origin = new Origin({ client: { address: "192.0.2.7" } });
  for (const [host, port] of [
    ["app:8443", "8443"],
    ["app", "443"],
    ["apq", "443"],
    ["[2001:db8::1]", "443"],
    ["[2001:db8::1]:9", "9"],
    ["app:8443", "8443"],
  ] as const) {
    const lines = linesFor(origin, host);
    expect(lines).toContain(`X-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${port}\r\n`);
    expect(lines).toContain(`;host="${host}";`);
  }
});

test("who the client is by its certificate comes last", () => {
  const origin = new Origin({ client: { address: "192.0.2.7" }, identity: ["X-Client-Cert-DNS", "a.test"] });
  expect(linesFor(origin, "app")).toMatch(/proto=https\r\nX-Client-Cert-DNS: a\.test\r\n$/);
});

test("behind a trusted proxy its lists go on, and its proto, host and port stay", () => {
  const origin = new Origin({ client: { address: "192.0.2.7" }, trusted: true });
  const said = new Map([
    ["x-forwarded-for", "198.51.100.1"],
    ["x-forwarded-proto", "http"],
    ["x-forwarded-host", "shop.test"],
    ["x-forwarded-port", "80"],
    ["forwarded", "for=198.51.100.1"],
  ]);
  expect(origin.linesBehind("app", said)).toBe(
    'X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: shop.test\r\nX-Forwarded-Port: 80\r\nForwarded: for=198.51.100.1, for=192.0.2.7;host="app";proto=https\r\n',
  );
});
