import fc from "fast-check";
import { expect, test } from "vitest";
import { Origin } from "../http1/origin.ts";
import { withForwarded } from "./forwarded.ts";

const host = "app.test:8443";
const origin = new Origin({ client: { address: "192.0.2.7" } });
const ours = [
  "X-Forwarded-For",
  "192.0.2.7",
  "X-Forwarded-Proto",
  "https",
  "X-Forwarded-Host",
  "app.test:8443",
  "X-Forwarded-Port",
  "8443",
  "Forwarded",
  'for=192.0.2.7;host="app.test:8443";proto=https',
];

test("the app is told where a request came from", () => {
  expect(withForwarded(["Accept", "*/*"], origin, host)).toEqual(["Accept", "*/*", ...ours]);
});

test.each([
  ["IPv4 on a socket of both families", "::ffff:192.0.2.7", "192.0.2.7", "for=192.0.2.7;"],
  ["IPv6, quoted as RFC 7239 §6 wants it", "2001:db8::7", "2001:db8::7", 'for="[2001:db8::7]";'],
  ["a link-local peer without its zone", "fe80::1%eth0", "fe80::1", 'for="[fe80::1]";'],
  ["a peer that has gone", undefined, "unknown", "for=unknown;"],
])("%s", (_name, clientAddress, address, element) => {
  const fields = withForwarded(
    [],
    new Origin(address === "unknown" ? {} : { client: { address: clientAddress ?? "" } }),
    "app.test",
  );
  expect(fields[1]).toBe(address);
  expect(fields.at(-1)).toContain(element);
});

test.each([
  ["app.test", "443"],
  ["app.test:8443", "8443"],
  ["[::1]", "443"],
  ["[::1]:9000", "9000"],
])("the port of %s is %s", (name, port) => {
  const fields = withForwarded([], origin, name);
  expect(fields[fields.indexOf("X-Forwarded-Port") + 1]).toBe(port);
});

test("no client input shows in these fields: any case, underscores, duplicates, any value", () => {
  const families = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "forwarded",
    "x-real-ip",
    "proxy",
  ];
  const spelled = fc
    .tuple(fc.constantFrom(...families), fc.infiniteStream(fc.boolean()))
    .map(([name, flips]) =>
      name.replace(/./g, (letter) => (flips.next().value ? letter.toUpperCase().replace("-", "_") : letter)),
    );
  const field = fc.tuple(fc.oneof(spelled, fc.stringMatching(/^[a-z-]{1,12}$/)), fc.string());
  fc.assert(
    fc.property(fc.array(field), (pairs) => {
      const fields = withForwarded(pairs.flat(), origin, host);
      const isFamily = (name = "") =>
        /^(x-forwarded-.*|forwarded|x-real-ip|proxy)$/.test(name.toLowerCase().replaceAll("_", "-"));
      const shown = fields.flatMap((name, index) =>
        index % 2 === 0 && isFamily(name) ? [name, fields[index + 1]] : [],
      );
      expect(shown).toEqual(ours);
      expect(fields.slice(0, -ours.length)).toEqual(pairs.filter(([name]) => !isFamily(name)).flat());
    }),
  );
});

test("several lines of a trusted proxy are one list, and ours is its end", () => {
  const trusted = new Origin({ client: { address: "192.0.2.7" }, trusted: true });
  const said = ["X-Forwarded-For", "198.51.100.1", "x-forwarded-for", "198.51.100.2"];
  expect(withForwarded(said, trusted, host)[1]).toBe("198.51.100.1, 198.51.100.2, 192.0.2.7");
});
