import { globSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type WorkingCopy, makeWorkingCopy } from "./working-copy.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly publishConfig?: { readonly access: string };
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

let copy: WorkingCopy;
let before: readonly Manifest[];

/** A clone with one changeset, for one package; without a network, so that nothing but the clone decides. */
beforeAll(async () => {
  copy = await makeWorkingCopy();
  before = await manifests();
  const git = (...args: string[]) => copy.run("git", ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args]);
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message=Everything");
});

afterAll(async () => copy?.[Symbol.asyncDispose]());

async function manifests(): Promise<Manifest[]> {
  const { workspaces } = await json("package.json");
  const patterns = ["package.json", ...workspaces.map((workspace: string) => `${workspace}/package.json`)];
  const files = globSync(patterns, { cwd: copy.directory });
  return await Promise.all(files.map((file) => json(file)));
}

async function json(file: string) {
  return JSON.parse(await readFile(join(copy.directory, file), "utf8"));
}

test("all public packages are released together, and nothing else is", async () => {
  const { fixed, access } = await json(".changeset/config.json");
  const open = before.filter((manifest) => !manifest.private);
  expect(fixed).toEqual([open.map(({ name }) => name).toSorted()]);
  expect(access).toBe("public");
  expect(open.map(({ publishConfig }) => publishConfig?.access)).toEqual(open.map(() => "public"));
  expect(new Set(open.map(({ version }) => version)).size).toBe(1);
});

test("a changeset for one package moves the version of all, wherever it is written", async () => {
  await writeFile(join(copy.directory, ".changeset/new.md"), '---\n"@pillion/topz": minor\n---\n\nA new column.\n');
  expect(await copy.run("changeset", ["status"])).toContain("@pillion/kit");
  await copy.run("npm", ["run", "release:version"], { env: { ...process.env, npm_config_offline: "true" } });

  const after = await manifests();
  const open = after.filter((manifest) => !manifest.private);
  const [version = ""] = open.map((manifest) => manifest.version);
  expect(before.map((manifest) => manifest.version)).not.toContain(version);
  const stated = [
    ...open.map((manifest) => manifest.version),
    ...after.flatMap(own),
    ...Object.entries<Manifest>((await json("package-lock.json")).packages).flatMap(([path, entry]) =>
      path.startsWith("packages/") && !path.includes("node_modules") ? [entry.version, ...own(entry)] : own(entry),
    ),
    ...(await identities()),
    ...(await imageVersions()),
  ];
  expect(stated.length).toBeGreaterThan(60);
  expect(stated.filter((each) => each !== version)).toEqual([]);
  expect(await readFile(join(copy.directory, "packages/topz/CHANGELOG.md"), "utf8")).toContain(
    `## ${version}\n\n### Minor Changes\n\n- A new column.`,
  );
  await copy.run("npm", ["ci", "--dry-run", "--ignore-scripts", "--offline"]);
});

/** The versions that a manifest asks of this project's packages. */
function own({ dependencies, devDependencies }: Manifest): string[] {
  const asked = Object.entries({ ...dependencies, ...devDependencies });
  return asked.filter(([name]) => name.startsWith("@pillion/")).map(([, version]) => version);
}

/** What images are labelled with when nobody says a version: with `docker compose up --build`. */
async function imageVersions(): Promise<string[]> {
  const dockerfile = await readFile(join(copy.directory, "images/Dockerfile"), "utf8");
  const versions = [...dockerfile.matchAll(/^ARG VERSION=(.*)$/gm)].map(([, version = ""]) => version);
  expect(versions).toHaveLength(2);
  return versions;
}

async function identities(): Promise<string[]> {
  const files = globSync("packages/*/src/identity.ts", { cwd: copy.directory });
  const texts = await Promise.all(files.map((file) => readFile(join(copy.directory, file), "utf8")));
  return texts.flatMap((text) => /version: "(.*)"/.exec(text)?.[1] ?? []);
}
