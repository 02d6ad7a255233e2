import fc from "fast-check";
import { expect, test } from "vitest";
import { RequestHead, parseRequestHead } from "../http1/request-head.ts";
import { requestText } from "./request-text.ts";

const BASIC = [":method", "GET", ":scheme", "https", ":path", "/", ":authority", "app.test"];
const head = new RequestHead();

/** What an app would read, or nothing when it is refused. */
function read(raw: readonly string[], hasBody: boolean): { names: string[]; line: string } | undefined {
  const request = requestText(raw, hasBody);
  if ("status" in request) return undefined;
  const bytes = Buffer.from(request.text, "latin1");
  if (parseRequestHead(head, bytes, 0, bytes.length) !== undefined) return undefined;
  expect(head.end).toBe(bytes.length);
  const names = Array.from({ length: head.fields.count }, (_, index) => head.fields.name(index));
  return { names, line: `${head.method} ${head.target}` };
}

test("whatever stands in names and values, no line comes of it that wasn't a field", () => {
  const piece = fc.constantFrom(
    "a",
    "x",
    ":",
    " ",
    "\t",
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\x7f",
    "HTTP/1.1",
    "/",
    "?",
    "é",
    "A",
  );
  const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
  const name = fc.oneof(
    text,
    fc.constantFrom(
      "cookie",
      "host",
      "te",
      "x-a",
      "content-length",
      "transfer-encoding",
      ":path",
      ":method",
      ":authority",
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, text), { maxLength: 5 }), fc.boolean(), (fields, hasBody) => {
      const raw = [...BASIC, ...fields.flat()];
      const found = read(raw, hasBody);
      if (found === undefined) return;
      expect(found.line).toBe("GET /");
      const given = new Set([...fields.map(([one]) => one), "host", ...(hasBody ? ["transfer-encoding"] : [])]);
      for (const one of found.names) expect(given).toContain(one);
    }),
    { numRuns: 2_000 },
  );
});

test("cookies are one, and the authority is the Host, wherever it stands", () => {
  const request = requestText([...BASIC, "cookie", "a=1", "host", "app.test", "x-a", "1", "cookie", "b=2"], false);
  expect(request).toEqual({
    text: "GET / HTTP/1.1\r\nhost: app.test\r\nx-a: 1\r\ncookie: a=1; b=2\r\n\r\n",
    isWebSocket: false,
  });
});
