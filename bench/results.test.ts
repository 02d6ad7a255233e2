import { expect, test } from "vitest";
import { markdownTable, replaceSection } from "./results.ts";

test("a section is replaced between its markers and nothing else is touched", () => {
  const before =
    "# Results\n\n<!-- a: begin -->\nold\n<!-- a: end -->\n\nWords.\n<!-- b: begin -->\nkept\n<!-- b: end -->\n";
  const after = replaceSection(before, "a", "new");
  expect(after).toBe(before.replace("\nold\n", "\n\nnew\n\n"));
  expect(replaceSection(after, "a", "new")).toBe(after);
});

test("a section that isn't there yet is put at the end", () => {
  const after = replaceSection("# Results\n", "a", "new");
  expect(after).toBe("# Results\n\n<!-- a: begin -->\n\nnew\n\n<!-- a: end -->\n");
  expect(replaceSection("", "a", "new")).toMatch(/^<!-- a: begin -->/);
});

test("a marker without the other is refused: what is between them is anybody's guess", () => {
  expect(() => replaceSection("<!-- a: begin -->\n", "a", "new")).toThrow(/not a pair/);
  expect(() => replaceSection("<!-- a: end --><!-- a: begin -->\n", "a", "new")).toThrow(/not a pair/);
});

test("a table has a row a line, its figures to the right, and no cell that breaks it", () => {
  expect(markdownTable(["what", "MB"], [["a|b", "1"]])).toBe("| what | MB |\n| --- | ---: |\n| a\\|b | 1 |");
});
