import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLog } from "../src/log.ts";
import { watchPath } from "../src/watch.ts";

let root: string;
let stop: AbortController;
let watching: Promise<void>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kit-watch-"));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await watching;
  rmSync(root, { recursive: true });
});
const at = (...parts: string[]) => join(root, ...parts);

/** Resolves when the watch is up, with what makes a change and resolves when it was told. */
async function watch(path: string): Promise<(change: () => void) => Promise<boolean>> {
  let told = 0;
  const log = await createLog({ level: "silent", format: "json" }, { write: () => true });
  watching = watchPath(path, () => told++, { signal: stop.signal, log });
  await vi.waitFor(() => expect(told).toBeGreaterThan(0));
  return async (change) => {
    const before = told;
    change();
    return await vi.waitUntil(() => told > before, { timeout: 5_000 });
  };
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

test("a file is followed through writing, being replaced, and going away for a while", async () => {
  writeFileSync(at("file"), "1");
  const tells = await watch(at("file"));
  expect(await tells(() => writeFileSync(at("file"), "2"))).toBe(true);
  expect(await tells(() => replace(at("file"), "3"))).toBe(true);
  expect(await tells(() => replace(at("file"), "4"))).toBe(true);
  expect(await tells(() => rmSync(at("file")))).toBe(true);
  expect(await tells(() => writeFileSync(at("file"), "5"))).toBe(true);
});

test("a file is followed through links, as Kubernetes mounts a secret", async () => {
  for (const version of ["..1", "..2", "..3"]) {
    mkdirSync(at(version));
    writeFileSync(at(version, "tls.crt"), version);
  }
  symlinkSync("..1", at("..data"));
  symlinkSync("..data/tls.crt", at("tls.crt"));
  const swap = (version: string) => {
    symlinkSync(version, at("..tmp"));
    renameSync(at("..tmp"), at("..data"));
  };
  const tells = await watch(at("tls.crt"));
  expect(await tells(() => swap("..2"))).toBe(true);
  expect(await tells(() => swap("..3"))).toBe(true);
  expect(await tells(() => writeFileSync(at("..3", "tls.crt"), "in place"))).toBe(true);
});

test("a directory that isn't there yet is waited for", async () => {
  const tells = await watch(at("later"));
  expect(await tells(() => mkdirSync(at("later")))).toBe(true);
  expect(await tells(() => writeFileSync(at("later", "file"), "1"))).toBe(true);
});
