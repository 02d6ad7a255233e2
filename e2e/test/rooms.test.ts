import { access, mkdir, mkdtempDisposable, readFile, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSync } from "@pillion/config-sync";
import type { Sidecar } from "@pillion/kit";
import { startSidecar } from "@pillion/kit/testing";
import { repoUpdater } from "@pillion/repo-updater";
import { tlsProxy } from "@pillion/tls-proxy";
import { topz } from "@pillion/topz";
import { expect, test } from "vitest";

const packages = join(import.meta.dirname, "../../packages");
const rooms = ["index", "identity", "options", "sidecar", "metrics", "cli", "healthcheck"];
const headings = ["What it does", "Quick start", "Options", "Endpoints", "Metrics", "Guarantees", "Limits"];

const sidecars: Record<string, (directory: string) => Sidecar> = {
  topz: () => topz({}),
  "tls-proxy": (directory) => tlsProxy({ listen: "127.0.0.1:0", appPort: 1, stateDir: join(directory, "state") }),
  "repo-updater": (directory) => repoUpdater({ repo: join(directory, "none"), root: join(directory, "root") }),
  "config-sync": (directory) => configSync({ source: join(directory, "source"), target: join(directory, "target") }),
};

test.for(["kit", ...Object.keys(sidecars)])("%s leaves opening files of /proc to procfs", async (name) => {
  const files = (await readdir(join(packages, name, "src"))).filter((file) => !file.endsWith(".test.ts"));
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    expect(await readFile(join(packages, name, "src", file), "utf8"), file).not.toMatch(/["'`]\/proc\//);
  }
});

test.for(Object.keys(sidecars))("%s has the rooms and the README headings that all sidecars have", async (name) => {
  for (const room of rooms) await access(join(packages, name, "src", `${room}.ts`));
  const readme = await readFile(join(packages, name, "README.md"), "utf8");
  expect([...readme.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual(headings);
});

/** What every sidecar has is in docs/operations.md. */
const isOwn = (metric = "") => !/^process_|_(?:ready|degraded|build_info)$/.test(metric);

test.for(Object.entries(sidecars))("the metrics of %s are those in its README, both ways", async ([name, make]) => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "pillion-rooms-"));
  await mkdir(join(directory.path, "source"));
  await using started = await startSidecar(make(directory.path));
  const { text } = await started.get("/metrics");
  const served = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, metric]) => metric);
  const readme = await readFile(join(packages, name, "README.md"), "utf8");
  const [, section = ""] = /^## Metrics\n(.*?)^## /ms.exec(readme) ?? [];
  const documented = [...section.matchAll(/^\| `([a-z_]+)/gm)].map(([, metric]) => metric);
  expect(new Set(documented.filter(isOwn))).toEqual(new Set(served.filter(isOwn)));
});
