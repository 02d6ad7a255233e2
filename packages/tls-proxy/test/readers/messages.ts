import fc from "fast-check";
import { blank, byLength, chunked, fieldValue, textOf } from "./message-parts.ts";
import type { Reading } from "./recorder.ts";

/** A request as it is meant, and as it is written. */
export interface Message {
  readonly meant: Reading;
  readonly text: string;
}

const TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Many of them should be percent-encoded, but nobody reads them in two ways, and old clients send them. */
const TARGET = `${TOKEN.replace("#", "")}/?:@;=,()[]{}<>\\"`;

const anyMethod = fc
  .oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "QUERY"),
    },
    { weight: 1, arbitrary: textOf(TOKEN, { minLength: 1, maxLength: 12 }) },
  )
  .filter((one) => !["TRACE", "CONNECT"].includes(one));

const anyTarget = fc.oneof(
  { weight: 3, arbitrary: fc.webPath().map((path) => path.replace(/^(?!\/)/, "/")) },
  { weight: 3, arbitrary: textOf(TARGET, { maxLength: 40 }).map((rest) => `/${rest}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("//", "/..", "/a/../b", "/./", "/%00", "/%", "/?", "/??", "//a//b", "/a\\b"),
  },
);

const anyBody = fc.oneof(fc.constant({ body: "", framing: "", written: "" }), byLength, chunked);

/** A request that is well-formed, however odd. */
export const message: fc.Arbitrary<Message> = fc
  .record({
    method: anyMethod,
    target: anyTarget,
    odd: fieldValue,
    before: blank,
    behind: blank,
    body: anyBody,
    framingFirst: fc.boolean(),
  })
  .map(({ method, target, odd, before, behind, body: { body, framing, written }, framingFirst }) => {
    const field = `x-OdD:${before}${odd}${behind}\r\n`;
    const fields = framingFirst ? framing + field : field + framing;
    return {
      meant: { method, target, body, odd },
      text: `${method} ${target} HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n${written}`,
    };
  });

/** Ends a conversation. */
export const LAST = "GET /last HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n";
