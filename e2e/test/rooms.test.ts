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

const proxy = (directory: string) => ({ listen: "127.0.0.1:0", appPort: 1, stateDir: join(directory, "state") });

/** Each sidecar in as many ways as it takes to see all of its metrics. */
const sidecars: Record<string, (directory: string) => readonly Sidecar[]> = {
  topz: () => [topz({})],
  "tls-proxy": (directory) => [
    tlsProxy(proxy(directory)),
    tlsProxy({ ...proxy(directory), mode: "tcp", proxyProtocolFrom: ["192.0.2.1"] }),
    tlsProxy({ ...proxy(directory), workers: 2 }),
  ],
  "repo-updater": (directory) => [repoUpdater({ repo: join(directory, "none"), root: join(directory, "root") })],
  "config-sync": (directory) => [configSync({ source: join(directory, "source"), target: join(directory, "target") })],
};

test.for(["kit", ...Object.keys(sidecars)])("%s leaves opening files of /proc to procfs", async (name) => {
  const all = await readdir(join(packages, name, "src"), { recursive: true });
  const files = all.filter((file) => /(?<!\.test)\.ts$/.test(file));
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
  const served: (string | undefined)[] = [];
  for (const sidecar of make(directory.path)) {
    await using started = await startSidecar(sidecar);
    const { text } = await started.get("/metrics");
    served.push(...[...text.matchAll(/^# TYPE (\S+) /gm)].map(([, metric]) => metric));
  }
  const readme = await readFile(join(packages, name, "README.md"), "utf8");
  const [, section = ""] = /^## Metrics\n(.*?)^## /ms.exec(readme) ?? [];
  const documented = [...section.matchAll(/^\| `([a-z_]+)/gm)].map(([, metric]) => metric);
  expect(new Set(documented.filter(isOwn))).toEqual(new Set(served.filter(isOwn)));
});
