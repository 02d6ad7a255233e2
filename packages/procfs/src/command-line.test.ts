import * as fc from "fast-check";
import { expect, test } from "vitest";
import { recorded, recordedFile } from "../fixtures/recorded.ts";
import { parseCommandLine } from "./command-line.ts";

const { cast } = recorded;
const parse = (text: string) => parseCommandLine(Buffer.from(text));

test("a recorded command line comes apart into its arguments", () => {
  expect(parseCommandLine(recordedFile(cast.hostile, "cmdline"))).toEqual(["hostile", "1000"]);
});

test("kernel threads and zombies have none", () => {
  expect(parseCommandLine(recordedFile(cast.kernelThread, "cmdline"))).toEqual([]);
  expect(parseCommandLine(recordedFile(cast.zombie, "cmdline"))).toEqual([]);
});

test("a recorded title that is followed by NULs is one argument", () => {
  expect(parseCommandLine(recordedFile(cast.titled, "cmdline"))).toEqual(["shop: waiting for orders"]);
});

test("a title without a NUL, padded with spaces, is one argument", () => {
  expect(parse("nginx: worker process      ")).toEqual(["nginx: worker process"]);
  expect(parse("   ")).toEqual([]);
});

test("spaces and empty arguments that belong to the arguments stay", () => {
  expect(parse("sh\0-c\0\0a b \0")).toEqual(["sh", "-c", "", "a b "]);
});

test("any arguments come back as they were, but for empty ones at the end", () => {
  const argument = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(fc.array(argument), (written) => {
      const kept = written.slice(0, written.findLastIndex((text) => text !== "") + 1);
      expect(parse(written.map((text) => `${text}\0`).join(""))).toEqual(kept.map((text) => text.toWellFormed()));
    }),
  );
});
