import fc from "fast-check";
import { blank, byLength, chunked, cut, fieldValue, octets } from "./message-parts.ts";

/** An app's answer as it is meant, and as it comes. */
export interface Answer {
  readonly meant: { readonly status: number; readonly odd: string; readonly body: string };
  readonly pieces: readonly string[];
  /** The app closes behind it. */
  readonly closes: boolean;
}

const untilClose = octets.map((body) => ({ body, framing: "", written: body }));

const form = fc.oneof(
  fc.record({ version: fc.constant("1.1"), body: byLength, closes: fc.boolean() }),
  fc.record({ version: fc.constant("1.1"), body: chunked, closes: fc.boolean() }),
  fc.record({ version: fc.constantFrom("1.0", "1.1"), body: untilClose, closes: fc.constant(true) }),
  fc.record({ version: fc.constant("1.0"), body: byLength, closes: fc.constant(true) }),
);

const interim = fc.constantFrom(
  "",
  "",
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
);

/** An answer that an app may give, new or old. */
export const answer: fc.Arbitrary<Answer> = fc
  .record({
    form,
    interim,
    status: fc.constantFrom(200, 201, 299, 404, 500, 599),
    reason: fc.constantFrom(" OK", " ", "", " caf\xe9 au lait"),
    odd: fieldValue,
    blanks: fc.tuple(blank, blank),
    lineEnd: fc.constantFrom("\r\n", "\r\n", "\n"),
    sizes: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 8 }),
  })
  .map(({ form: { version, body, closes }, interim: early, status, reason, odd, blanks, lineEnd, sizes }) => {
    const connection = closes && version === "1.1" ? "Connection: close\r\n" : "";
    const head = `HTTP/${version} ${status}${reason}\r\nX-Odd:${blanks.join(odd)}\r\n${body.framing}${connection}\r\n`;
    const before = version === "1.1" ? early : "";
    return {
      meant: { status, odd, body: body.body },
      pieces: cut(before + head.replaceAll("\r\n", lineEnd) + body.written, sizes),
      closes,
    };
  });
