import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { repository } from "./working-copy.ts";

interface Target {
  readonly context: string;
  readonly dockerfile: string;
  readonly target: string;
  readonly args: Record<string, string>;
  /** Bake leaves out those that are null. */
  readonly labels?: Record<string, string | null>;
  readonly tags: readonly string[];
  readonly platforms: readonly string[];
  readonly attest: readonly string[];
  readonly output: readonly string[];
}

interface Plan {
  readonly group: Record<string, { readonly targets: readonly string[] }>;
  readonly target: Record<string, Target>;
}

const exec = promisify(execFile);
const images = ["topz", "tls-proxy", "repo-updater", "config-sync", "pause"];
const given = process.env["BUILDX"];
const buildx = given ? [given] : ["docker", "buildx"];
const missing = await run("version").then(
  () => undefined,
  (error: Error) => `${error.message.trim().replaceAll("\n", " ")}. Install buildx, or name its file in BUILDX`,
);
const required = process.env["E2E_REQUIRE"]?.split(",").includes("buildx") ?? false;
if (missing && !required) console.log(`the release build is not read: ${missing}`);

describe.skipIf(missing && !required)("the release build of images", () => {
  beforeAll(() => {
    if (missing) throw new Error(missing);
  });

  test.for([
    ["1.2.3", ["1.2.3", "1.2", "1", "latest"]],
    ["12.0.10", ["12.0.10", "12.0", "12", "latest"]],
    ["0.2.3", ["0.2.3", "0.2", "latest"]],
    ["1.2.3-rc.1", ["1.2.3-rc.1"]],
    ["0.0.0-dev", ["0.0.0-dev"]],
  ] as const)("version %s is tagged %s", async ([version, tags]) => {
    const plan = await bake({ VERSION: version });
    for (const name of images) expect(plan.target[name]?.tags).toEqual(tags.map((tag) => `pillion/${name}:${tag}`));
  });

  test("every image is pushed to every registry", async () => {
    const { target } = await bake({ VERSION: "1.0.0-rc.1", REGISTRY: "docker.io/pillion,127.0.0.1:5000/x" }, "--push");
    expect(target["pause"]?.tags).toEqual(["docker.io/pillion/pause:1.0.0-rc.1", "127.0.0.1:5000/x/pause:1.0.0-rc.1"]);
    for (const name of images)
      expect(target[name]?.output.join()).toMatch(/^type=image,rewrite-timestamp=true,push=true/);
  });

  test("every image is built for both platforms, with bill of materials and provenance, from what the release says", async () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const variables = {
      VERSION: "1.2.3",
      REVISION: "c0ffee",
      CREATED: "2026-01-02T03:04:05Z",
      SOURCE_DATE_EPOCH: "1767323045",
      DEBIAN_IMAGE: `debian:trixie-slim@${digest}`,
      NODE_IMAGE: `node:26-trixie-slim@${digest}`,
    };
    const { group, target } = await bake(variables);
    expect(group["default"]?.targets.flatMap((name) => group[name]?.targets ?? name)).toEqual(images);
    expect(Object.keys(target).toSorted()).toEqual(images.toSorted());
    for (const name of images) {
      expect(target[name]).toMatchObject({
        context: ".",
        dockerfile: "images/Dockerfile",
        target: name,
        platforms: ["linux/amd64", "linux/arm64"],
        attest: ["type=sbom", "type=provenance,mode=max"],
        args: { ...variables, BASE_NAME: "docker.io/library/node:26-trixie-slim" },
      });
      expect(baseDigest(target[name])).toBe(name === "pause" ? undefined : digest);
    }
  });

  test("a base without a digest is labelled with none", async () => {
    const { target } = await bake({});
    for (const name of images) expect(baseDigest(target[name])).toBeUndefined();
  });

  test("the Dockerfile knows every target and every argument", async () => {
    const dockerfile = await readFile(join(repository, "images/Dockerfile"), "utf8");
    const { target } = await bake({});
    for (const name of images) expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${name}$`, "m"));
    // SOURCE_DATE_EPOCH is BuildKit's own
    for (const argument of Object.keys(target["topz"]?.args ?? {}).filter((name) => name !== "SOURCE_DATE_EPOCH")) {
      expect(dockerfile).toMatch(new RegExp(`^ARG ${argument}\\b`, "m"));
    }
  });
});

function baseDigest(target: Target | undefined): string | undefined {
  return target?.labels?.["org.opencontainers.image.base.digest"] ?? undefined;
}

async function bake(variables: Record<string, string>, ...flags: string[]): Promise<Plan> {
  const { stdout } = await run(
    "bake",
    "-f",
    "images/docker-bake.hcl",
    "--print",
    "--progress=quiet",
    ...flags,
    variables,
  );
  return JSON.parse(stdout);
}

async function run(...words: (string | Record<string, string>)[]): Promise<{ stdout: string }> {
  const [command = "", ...before] = buildx;
  const args = words.filter((word) => typeof word === "string");
  const variables = Object.assign({}, ...words.filter((word) => typeof word === "object"));
  return await exec(command, [...before, ...args], { cwd: repository, env: { ...process.env, ...variables } });
}
