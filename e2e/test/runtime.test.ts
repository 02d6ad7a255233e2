import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

test("tests and what npm scripts start run on the Node of the lock file, whatever the system has", async () => {
  const { packages } = JSON.parse(await readFile(join(import.meta.dirname, "../../package-lock.json"), "utf8"));
  const locked = `v${packages["node_modules/node"].version}`;
  const child = execFileSync("node", ["--version"], { encoding: "utf8" }).trim();
  console.log(`this test runs on ${process.version}, a child of it on ${child}, the lock file says ${locked}`);
  expect(process.version).toBe(locked);
  expect(child).toBe(locked);
});
