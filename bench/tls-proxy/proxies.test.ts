import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { proxies } from "./proxies.ts";

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

test("ours runs as it does in its image: the same flags of Node, the same variables", async () => {
  const [dockerfile, bundle] = [await read("images/Dockerfile"), await read("images/bundle.ts")];
  const variables = [...dockerfile.matchAll(/(MALLOC_\w+|NODE_OPTIONS)=(\S+)/g)].map(([, name, value]) => [
    name,
    value,
  ]);
  const flag = /node (--[^"]+)"/.exec(bundle)?.[1];
  const ours = proxies.filter(({ ours: isOurs }) => isOurs);
  expect(ours.length).toBeGreaterThan(2);
  for (const { line, environment } of ours) {
    expect(line.filter((word) => word.startsWith("--no-") || word.startsWith("--max-"))).toEqual([flag]);
    expect(environment).toEqual(Object.fromEntries(variables));
  }
});

test("the flag with which a sidecar gives back what starting took is the image's", async () => {
  const flag = /node (--[^"]+)"/.exec(await read("images/bundle.ts"))?.[1];
  expect(await read("packages/kit/src/startup-memory.ts")).toContain(`NEEDED = "${flag}"`);
});
