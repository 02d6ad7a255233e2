import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { sidecarNames } from "../drivers/driver.ts";
import { docker } from "../drivers/engine.ts";
import { repository } from "../test/working-copy.ts";
import { available, engine, images } from "./parts/available.ts";
import { type ImageFile, filesOf } from "./parts/image-files.ts";

describe.runIf(await available(engine, images))("the images", () => {
  const names = [...sidecarNames, "pause"] as const;
  let files: Record<string, ImageFile[][]>;

  beforeAll(async () => {
    files = await filesOf(...names.map((name) => `pillion/${name}`));
  });

  const filesIn = (name: string) => files[`pillion/${name}`]?.flat() ?? [];
  const pathsIn = (name: string) => filesIn(name).map(({ path }) => path);

  test.for(names)("%s says what it is, who it runs as and how it ends", async (name) => {
    const { Config: config } = await inspect(name);
    const labels = config.Labels ?? {};
    const label = (key: string) => labels[`org.opencontainers.image.${key}`];
    expect(config.User).toBe("65532:65532");
    expect(label("title")).toBe(name);
    expect(label("description")).toBe(await description(name));
    expect(label("source")).toBe("https://github.com/pillion/pillion");
    expect(label("licenses")).toMatch(name === "pause" ? /^GPL-2.0-or-later$/ : /^Apache-2.0 AND .*LGPL-2.1-or-later/);
    expect(label("licenses")?.includes("GPL-2.0-only")).toBe(name === "repo-updater");
    expect(label("version")).toMatch(/^\d+\.\d+\.\d+/);
    expect(label("revision")).toMatch(/^[\da-f]{40}(?:-dirty)?$|^unknown$/);
    expect(label("created")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(config.StopSignal).toBe("SIGTERM");
  });

  test.for([
    ["topz", ["/topz"]],
    ["tls-proxy", ["/tls-proxy"]],
    ["repo-updater", ["/usr/bin/tini", "-s", "--", "/repo-updater"]],
    ["config-sync", ["/config-sync"]],
  ] as const)("%s is its program, on a base with a name, and is probed without a shell", async ([name, entrypoint]) => {
    const { Config: config } = await inspect(name);
    expect(config.Entrypoint).toEqual(entrypoint);
    expect(config.Labels?.["org.opencontainers.image.base.name"]).toBe("docker.io/library/node:26-trixie-slim");
    // only a base that came from a registry has one
    const digest = config.Labels?.["org.opencontainers.image.base.digest"];
    expect([undefined, expect.stringMatching(/^sha256:[\da-f]{64}$/)]).toContainEqual(digest);
    expect(config.Healthcheck?.Test).toEqual(["CMD", "/healthcheck"]);
    expect(config.ExposedPorts ?? {}).toEqual({});
    expect(pathsIn(name)).toEqual(expect.arrayContaining([name, "healthcheck", "pillion/licences.txt"]));
  });

  test("all four lie on one base layer, and are a layer or two on top of it", async () => {
    const layers = await Promise.all(sidecarNames.map(async (name) => (await inspect(name)).RootFS.Layers));
    expect(new Set(layers.map(([base]) => base)).size).toBe(1);
    expect(layers.map(({ length }) => length)).toEqual([2, 2, 3, 2]);
  });

  test.for([
    ["topz", ["ca-certificates", "libatomic1", "libc6", "libgcc-s1", "libstdc++6"]],
    ["repo-updater", ["dash", "git", "libssl3t64", "openssh-client", "tini"]],
    ["pause", ["catatonit"]],
  ] as const)("%s has the licence and the record of each Debian package that is in it", ([name, packages]) => {
    const recorded = pathsIn(name).filter((path) => /^var\/lib\/dpkg\/status\.d\/./.test(path));
    const found = recorded.map((path) => path.slice(path.lastIndexOf("/") + 1));
    expect(found).toEqual(expect.arrayContaining([...packages]));
    expect(pathsIn(name)).toEqual(expect.arrayContaining(found.map((each) => `usr/share/doc/${each}/copyright`)));
  });

  test("topz is also the server that it can replace", () => {
    expect(filesIn("topz").find(({ path }) => path === "server")?.linksTo).toBe("pillion/topz.mjs");
  });

  test.for(["topz", "tls-proxy", "config-sync", "pause"] as const)("%s has no shell and no other programs", (name) => {
    expect(programsIn(name)).toEqual(name === "pause" ? ["catatonit"] : ["node"]);
  });

  test("repo-updater has a shell, git, ssh and an init, and no other programs", () => {
    const programs = ["dash", "git", "node", "ssh", "tini"];
    expect(programsIn("repo-updater")).toEqual(programs);
  });

  test.for(names)("%s has nothing that changes who one is, and nothing that everybody may write but /tmp", (name) => {
    const all = filesIn(name);
    expect(all.filter(({ mode }) => /^-.*[sS]/.test(mode))).toEqual([]);
    const writable = all.filter(({ mode }) => mode[8] === "w" && !mode.startsWith("l"));
    expect(writable.map(({ path, mode }) => `${mode} ${path}`)).toEqual(name === "pause" ? [] : ["drwxrwxrwt tmp/"]);
    const owned = all.filter(({ owner }) => owner !== "0/0");
    expect(owned.map(({ path, owner, mode }) => `${mode} ${owner} ${path}`)).toEqual(
      name === "pause" ? [] : ["drwxrwsr-x 65532/0 data/"],
    );
  });

  /** Names of executables, by what a directory for them holds: libraries and the sidecars' own files are left out. */
  function programsIn(name: string): string[] {
    const executables = filesIn(name).filter(({ mode }) => /^-..x/.test(mode));
    const programs = executables.filter(({ path }) => !/\.so[.\d]*$|^pillion\/|^usr\/lib\/git-core\//.test(path));
    return programs.map(({ path }) => path.slice(path.lastIndexOf("/") + 1)).toSorted();
  }
});

interface Inspected {
  readonly Config: {
    readonly User: string;
    readonly Entrypoint: readonly string[];
    readonly StopSignal?: string;
    readonly Healthcheck?: { readonly Test: readonly string[] };
    readonly ExposedPorts?: object;
    readonly Labels: Readonly<Record<string, string>> | null;
  };
  readonly RootFS: { readonly Layers: readonly string[] };
}

async function inspect(name: string): Promise<Inspected> {
  return (JSON.parse(await docker("image", "inspect", `pillion/${name}`)) as [Inspected])[0];
}

/** The package's; pause has none. */
async function description(name: string): Promise<string> {
  if (name === "pause") return "Owns the namespaces of a group of containers: waits, and reaps orphans.";
  const manifest = await readFile(join(repository, "packages", name, "package.json"), "utf8");
  return (JSON.parse(manifest) as { readonly description: string }).description;
}
