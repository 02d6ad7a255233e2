import fc from "fast-check";
import { expect, test } from "vitest";
import { Outgoing } from "./outgoing.ts";

test("slices hold what was gathered, whatever comes after them", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 60 }),
    fc.nat(40_000).map((size) => "x".repeat(size)),
  );
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 5 }), { maxLength: 8 }), (messages) => {
      const out = new Outgoing();
      const slices = messages.map((pieces) => {
        for (const [index, text] of pieces.entries())
          if (index % 2 === 0) out.text(text);
          else out.copy(Buffer.from(`<${text}>`, "latin1"), 1, text.length + 1);
        return out.take();
      });
      expect(slices.map((slice) => slice.toString("latin1"))).toEqual(messages.map((pieces) => pieces.join("")));
    }),
  );
});

test("what is discarded is gone", () => {
  const out = new Outgoing();
  out.text("no");
  out.discard();
  out.text("yes");
  expect(out.take().toString()).toBe("yes");
});
