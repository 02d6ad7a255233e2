import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeWorkingCopy } from "./working-copy.ts";

test("npm pack leaves package.json as it is, also where a run before was cut off", async () => {
  await using copy = await makeWorkingCopy();
  const cwd = "packages/kit";
  const manifest = join(copy.directory, cwd, "package.json");
  const before = await readFile(manifest, "utf8");
  const pack = () => copy.run("npm", ["pack", "--silent"], { cwd });

  expect(await pack()).toMatch(/^pillion-kit-.*\.tgz\n$/);
  expect(await readFile(manifest, "utf8")).toBe(before);

  await copy.run("npm", ["run", "--silent", "prepack"], { cwd });
  expect(await readFile(manifest, "utf8")).not.toContain("@pillion/source");
  const next = before.replace(/"version": ".*"/, '"version": "7.7.7"');
  await writeFile(manifest, next);
  expect(await pack()).toBe("pillion-kit-7.7.7.tgz\n");
  expect(await readFile(manifest, "utf8")).toBe(next);
});
