import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Journal } from "../src/journal.ts";
import { NO_MARKS, committed } from "../src/marks.ts";
import { makePlaces } from "./harness.ts";

test("what was written is there at the next start", async () => {
  using places = makePlaces();
  await new Journal(places.source).write(committed(NO_MARKS, "..000001-aa"));
  const journal = new Journal(places.source);
  await journal.load();
  expect(journal.marks).toEqual({ committed: "..000001-aa", quarantined: {} });
});

test.each(["", "{", "[]", "null", '{"version": 2, "committed": "..000001-aa"}'])(
  "%j counts as no marks",
  async (text) => {
    using places = makePlaces();
    writeFileSync(join(places.source, "..config-sync.json"), text);
    const journal = new Journal(places.source);
    await journal.load();
    expect(journal.marks).toEqual(NO_MARKS);
  },
);

test("a crash while it was being written costs nothing", async () => {
  using places = makePlaces();
  const journal = new Journal(places.source);
  await journal.write(committed(NO_MARKS, "..000001-aa"));
  writeFileSync(join(places.source, "..config-sync.json.next"), '{"vers');
  const next = new Journal(places.source);
  await next.load();
  expect(next.marks.committed).toBe("..000001-aa");
  await next.write(NO_MARKS);
  expect(readFileSync(join(places.source, "..config-sync.json"), "utf8")).toBe('{"version":1,"quarantined":{}}\n');
});

test("marks that can't be read are an error, not none", async () => {
  using places = makePlaces();
  mkdirSync(join(places.source, "..config-sync.json"));
  await expect(new Journal(places.source).load()).rejects.toThrow(/EISDIR/);
});
