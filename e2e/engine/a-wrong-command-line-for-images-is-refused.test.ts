import { expect, test } from "vitest";
import { runImages } from "./parts/images-script.ts";

test.for([
  ["an unknown option", ["--fast"], /'--fast'.*--help lists all options/],
  ["an unknown image", ["toppz"], /toppz: no such image\. They are .*\btopz\b/],
  ["an unknown engine", ["--engine=rkt"], /rkt: no such engine\. They are docker, podman, buildah/],
  ["names that no registry takes", ["--prefix=Tools/"], /Tools\/: not the name of a repository/],
  ["names that are only a host's", ["--prefix=UPPER/tools"], /UPPER\/tools: not the name of a repository/],
] as const)("%s ends with exit 2, and one line says what would be right", async ([, args, words]) => {
  const { code, said } = await runImages(args);
  expect(said).toMatch(words);
  expect(said.trim().split("\n")).toHaveLength(1);
  expect(code).toBe(2);
});
