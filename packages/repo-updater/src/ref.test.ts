import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { candidates, chooseTarget, isFullHash, refName } from "./ref.ts";

const [one, two, three] = ["1", "2", "3"].map((digit) => digit.repeat(40)) as [string, string, string];
const listing = (...lines: readonly (readonly [string, string])[]) =>
  lines.map((line) => `${line.join("\t")}\n`).join("");

test("a branch comes before a tag, a tag before another ref", () => {
  expect(candidates("v1")).toEqual(["refs/heads/v1", "refs/tags/v1", "refs/v1"]);
  const all = listing([one, "refs/tags/v1"], [two, "refs/heads/v1"], [three, "refs/v1"]);
  expect(chooseTarget("v1", all)).toEqual({ name: "refs/heads/v1", hash: two });
  expect(chooseTarget("v1", listing([one, "refs/tags/v1"], [three, "refs/v1"]))?.hash).toBe(one);
  expect(chooseTarget("pull/7/head", listing([three, "refs/pull/7/head"]))?.hash).toBe(three);
});

test("an annotated tag leads to its commit", () => {
  const lines = listing([one, "refs/tags/v1"], [two, "refs/tags/v1^{}"]);
  expect(chooseTarget("v1", lines)).toEqual({ name: "refs/tags/v1", hash: two });
});

test("only the very name counts: git lists all that end so", () => {
  const lines = listing([one, "refs/remotes/origin/HEAD"], [two, "refs/heads/feature/HEAD"]);
  expect(chooseTarget("HEAD", lines)).toBeUndefined();
  expect(chooseTarget("main", listing([one, "refs/x/refs/heads/main"]))).toBeUndefined();
  expect(chooseTarget("refs/heads/main", listing([one, "refs/heads/main"]))?.hash).toBe(one);
});

test("what isn't a listing names nothing", () => {
  fc.assert(fc.property(fc.string(), (text) => chooseTarget("HEAD", text) === undefined));
  expect(chooseTarget("HEAD", "--upload-pack=x\tHEAD\n")).toBeUndefined();
});

test("a full hash is told from a name", () => {
  expect(isFullHash(one)).toBe(true);
  for (const name of [one.slice(1), `${one}0`, "main", `${one.slice(1)}g`]) expect(isFullHash(name)).toBe(false);
});

test("what is taken for a ref's name, git takes as well", () => {
  const piece = fc.constantFrom(
    "a",
    "main",
    "/",
    ".",
    "..",
    "@{",
    "@",
    "-",
    ".lock",
    "~",
    "^",
    ":",
    "?",
    "*",
    "[",
    "\\",
    " ",
    "\n",
    "é",
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
      const text = pieces.join("");
      const { status } = spawnSync("git", ["check-ref-format", `refs/heads/${text}`]);
      expect({ text, taken: takes(text) }).toEqual({
        text,
        taken: status === 0 && !text.startsWith("-") && text !== "@",
      });
    }),
    { numRuns: 150 },
  );
});

function takes(text: string): boolean {
  try {
    return refName.parse(text) === text;
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return false;
  }
}
