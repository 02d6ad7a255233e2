import fc from "fast-check";
import { expect, test } from "vitest";
import { connectionOptions, fieldValues, withoutHopByHop } from "./hop-by-hop.ts";

test("the well-known connection fields go, everything else stays as it was, in order", () => {
  const fields = [
    "Host",
    "a",
    "TE",
    "trailers",
    "X-One",
    "1",
    "keep-alive",
    "5",
    "X-ONE",
    "2",
    "Transfer-Encoding",
    "chunked",
  ];
  expect(withoutHopByHop(fields)).toEqual(["Host", "a", "X-One", "1", "X-ONE", "2"]);
});

test("so do the names that any Connection field lists", () => {
  const fields = ["connection", "close, X-One", "X-one", "1", "Connection", " ,x-TWO ,", "X-Two", "2", "X-Three", "3"];
  expect(withoutHopByHop(fields)).toEqual(["X-Three", "3"]);
  expect(connectionOptions(fields)).toEqual(["close", "x-one", "", "x-two", ""]);
});

test("a value that looks like a name is still a value", () => {
  expect(withoutHopByHop(["X-One", "connection", "X-Two", "upgrade"])).toEqual([
    "X-One",
    "connection",
    "X-Two",
    "upgrade",
  ]);
  expect(fieldValues(["A", "host", "Host", "b"], "host")).toEqual(["b"]);
});

test("whatever comes in: nothing listed gets through, nothing else is touched", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
  const field = fc.tuple(
    fc.oneof(name, fc.constantFrom("Connection", "connection", "TE", "Upgrade")),
    fc.oneof(name, fc.array(name).map(String)),
  );
  fc.assert(
    fc.property(fc.array(field), (pairs) => {
      const fields = pairs.flat();
      const kept = withoutHopByHop(fields);
      const listed = new Set([...connectionOptions(fields), "connection", "te", "upgrade"]);
      const expected = pairs.filter(
        ([key]) => !listed.has(key.toLowerCase()) && !["keep-alive", "trailer"].includes(key.toLowerCase()),
      );
      expect(kept).toEqual(expected.flat());
    }),
  );
});
