import { expect, test } from "vitest";
import { refusalOf } from "./request-rules.ts";

const refused = (url: string, ...fields: string[]) =>
  refusalOf({ method: "GET", url, rawHeaders: ["Host", "app", ...fields], httpVersion: "1.1" });

test.each(["http://app", "https://app:8443/a?b", "HTTP://[::1]:80/", "http://a-b_c.test?x"])("%s may pass", (url) =>
  expect(refused(url)).toBeUndefined(),
);

// What the app gets as Host and in Forwarded is the target's (RFC 9112 §3.2.2): no quote may end it there.
test.each(["http://app:x/", 'http://a";for=192.0.2.6;b="/', "http://app:123456/", "http://[::1/", "http://a|b/"])(
  "%s is refused for its host",
  (url) => expect(refused(url)).toEqual({ status: 400, reason: "the host in the request target is malformed" }),
);

test.each(["Content_Length", "x, TRANSFER_encoding", "host"])("Connection may not list %s", (options) =>
  expect(refused("/", "Connection", options)).toMatchObject({ status: 400 }),
);

const ofHost = (host: string) => refusalOf({ method: "GET", url: "/", rawHeaders: ["Host", host], httpVersion: "1.1" });

test.each(["app", "App.test.", "a_b~c%20!$&*+", "app:8443", "app:", "192.0.2.1:80", "[::1]", "[2001:db8::1]:8443"])(
  "Host: %s may pass, as with the relay",
  (host) => expect(ofHost(host)).toBeUndefined(),
);

test.each([
  "",
  "a,b",
  "a;b",
  "a'b",
  "(a)",
  "a|b",
  "a b",
  "a/b",
  "u@a",
  "a:b",
  "a:123456",
  "[::1",
  "\xe4",
  "a".repeat(301),
])("Host: %s is refused, as by the relay", (host) =>
  expect(ofHost(host)).toEqual({ status: 400, reason: "the Host field is malformed" }),
);
