import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parentsOf, pathProblem, refuseUnsafePaths } from "./tree-paths.ts";

test.for([
  ["", "empty"],
  ["/etc/passwd", "absolute"],
  ["a\0b", "NUL"],
  ["a/\ud800", "Unicode"],
  ["../x", '".."'],
  ["a/../../x", '".."'],
  ["a//b", "empty"],
  ["a/", "empty"],
  ["./a", '"."'],
  ["..data", "reserved"],
  ["..2026/x", "reserved"],
  ["...", "reserved"],
])("%j is refused", ([path = "", reason = ""]) => {
  expect(pathProblem(path)).toContain(reason);
});

test.for(["app.xml", "conf.d/50 site.conf", "größe/日本.txt", "a/..b", ".env", "a\\b", "-x"])(
  "%j is accepted",
  (path) => {
    expect(pathProblem(path)).toBeUndefined();
  },
);

test("all unsafe paths are named in one error", () => {
  const refuse = () => refuseUnsafePaths(["ok", "/abs", "a", "a/b"]);
  expect(refuse).toThrow(/"\/abs" is absolute, "a\/b" needs a directory where "a" is a file/);
  expect(refuse).toThrow(expect.objectContaining({ code: "GENERATION_PATH_UNSAFE" }));
});

test("a list of thousands is cut short", () => {
  const paths = Array.from({ length: 1000 }, (_, index) => `/${index}`);
  expect(() => refuseUnsafePaths(paths)).toThrow(/and 990 more/);
});

test("the directories above a path come from the top", () => {
  expect(parentsOf("a/b/c")).toEqual(["a", "a/b"]);
  expect(parentsOf("a")).toEqual([]);
});

// Parts that are likely to go wrong, mixed with anything at all.
const part = fc.oneof(fc.constantFrom("..", ".", "", "..data", "a", "\0", "\ud800"), fc.string({ unit: "binary" }));
const anyPath = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));

test("whatever is accepted stays strictly inside the directory and off the reserved names", () => {
  fc.assert(
    fc.property(anyPath, (path) => {
      if (pathProblem(path) !== undefined) return;
      const joined = join("/tree", path);
      expect(joined).toBe(`/tree/${path}`);
      expect(joined.slice("/tree/".length).startsWith("..")).toBe(false);
      expect(Buffer.from(path).toString()).toBe(path);
    }),
    { numRuns: 2000 },
  );
});

test("whatever leaves the directory is refused", () => {
  fc.assert(
    fc.property(anyPath, (path) => {
      const joined = join("/tree", path);
      if (!joined.startsWith("/tree/")) expect(pathProblem(path)).toBeDefined();
    }),
    { numRuns: 2000 },
  );
});
