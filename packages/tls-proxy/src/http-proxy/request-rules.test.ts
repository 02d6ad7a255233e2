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
