import { execFile } from "node:child_process";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type WorkingCopy, makeWorkingCopy } from "./working-copy.ts";

const exec = promisify(execFile);
let working: WorkingCopy;
let copy: string;

/** A gate that can't fail is none: every rule is broken once, in a copy, and has to be seen. */
beforeAll(async () => {
  working = await makeWorkingCopy();
  copy = working.directory;
});

afterAll(() => working[Symbol.asyncDispose]());

interface Outcome {
  readonly passed: boolean;
  readonly output: string;
}

async function check(name: string): Promise<Outcome> {
  const path = `${join(copy, "node_modules/.bin")}:${process.env["PATH"]}`;
  const options = { cwd: copy, env: { ...process.env, PATH: path, FORCE_COLOR: "0" } };
  return await exec("npm", ["run", "--silent", `check:${name}`], options).then(
    ({ stdout, stderr }) => ({ passed: true, output: stdout + stderr }),
    ({ stdout, stderr }) => ({ passed: false, output: stdout + stderr }),
  );
}

/** Plants text in a file of the copy, checks, and puts the file back. */
async function planted(file: string, text: string, name: string): Promise<Outcome> {
  const path = join(copy, file);
  const before = await readFile(path).catch(() => undefined);
  await mkdir(dirname(path), { recursive: true });
  await (before ? appendFile(path, text) : writeFile(path, text));
  const outcome = await check(name);
  await (before ? writeFile(path, before) : rm(path));
  return outcome;
}

test.for(["format", "lint", "types", "imports", "unused", "docs"])("%s passes as it is", async (name) => {
  const { passed, output } = await check(name);
  expect(passed, output).toBe(true);
});

const source = "packages/topz/src/query.ts";
const built = (name: string, file = "planted") => `packages/${name}/dist/${file}.js`;

test.for([
  ["format", source, "const   x = 1;\n", /query\.ts/],
  ["lint", source, 'import { setTimeout } from "node:timers/promises";\nsetTimeout(1);\n', /no-floating-promises/],
  ["lint", source, "export const home = process.env;\n", /no-restricted-properties/],
  ["lint", source, "export const words = process.argv;\n", /no-restricted-properties/],
  ["lint", source, "process.exit(3);\n", /no-restricted-properties/],
  ["lint", source, 'process.on("exit", () => {});\n', /no-restricted-properties/],
  ["lint", source, 'import { argv } from "node:process";\nexport const words = argv;\n', /no-restricted-imports/],
  ["lint", source, "export const anything = (value: any) => value;\n", /no-explicit-any/],
  ["lint", source, "export default 1;\n", /no-default-export/],
  ["lint", source, 'console.log("here");\n', /no-console/],
  ["types", source, 'export const count: number = "one";\n', /TS2322/],
  ["imports", built("procfs"), 'import "yaml";\n', /procfs-stands-alone/],
  ["imports", built("kit"), 'import "@pillion/topz";\n', /kit-knows-no-sidecar/],
  ["imports", built("topz"), 'import "@pillion/tls-proxy";\n', /sidecars-keep-apart/],
  ["imports", built("topz"), 'import "../../kit/dist/log.js";\n', /only-through-exports/],
  ["imports", built("topz"), 'import "./cli.js";\n', /nothing-imports-the-command-line/],
  ["imports", built("topz"), 'import "./sidecar.js";\n', /domain-knows-no-sidecar/],
  ["imports", built("topz"), 'import "./server.js";\n', /domain-knows-no-server/],
  ["imports", built("topz"), 'import "./nowhere.js";\n', /resolvable/],
  ["imports", built("topz", "query"), 'import "./text-table.js";\nimport "./query.js";\n', /no-circular/],
  ["unused", source, "export const nobody = 1;\n", /nobody/],
  ["unused", "packages/topz/src/lonely.ts", "export const alone = 1;\n", /lonely\.ts/],
  ["docs", "docs/errors.md", "| `MADE_UP` | by hand |\n", /docs\/errors\.md/],
  ["docs", "images/Dockerfile", "ARG VERSION=0.0.0\n", /images\/Dockerfile/],
] as const)("%s sees what is planted in %s: %s", async ([name, file, text, named]) => {
  const { passed, output } = await planted(file, text, name);
  expect(output).toMatch(named);
  expect(passed).toBe(false);
});
