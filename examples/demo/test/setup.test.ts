import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

const scripts = fileURLToPath(new URL("../../../scripts/", import.meta.url));
let clone: string;

/** A clone with one package and nothing to download: the real set-up, the real npm, and a registry that only says it is there. */
beforeEach(async () => {
  clone = await realpath(await mkdtemp(join(tmpdir(), "set-up-")));
  await mkdir(join(clone, "scripts"));
  await cp(join(scripts, "setup.cjs"), join(clone, "scripts", "setup.cjs"));
  await cp(join(scripts, "setup"), join(clone, "scripts", "setup"), { recursive: true });
  await mkdir(join(clone, "part"));
  await writeFile(join(clone, "part", "package.json"), '{ "name": "part", "version": "1.0.0" }');
  await project("node -e 0 --");
});
afterEach(() => rm(clone, { recursive: true }));

const registry = createServer((_request, response) => response.setHeader("content-type", "application/json").end("{}"));
beforeAll(async () => {
  await once(registry.listen(0, "127.0.0.1"), "listening");
});
afterAll(() => void registry.close());

async function project(build: string, dependencies: Record<string, string> = {}) {
  const own = { name: "clone", version: "1.0.0", workspaces: ["part"], dependencies };
  const downloads = Object.entries(dependencies).map(([name, version]) => [`node_modules/${name}`, { version }]);
  const packages = {
    "": own,
    "node_modules/part": { resolved: "part", link: true },
    part: { version: "1.0.0" },
    ...Object.fromEntries(downloads),
  };
  await writeFile(join(clone, "package.json"), JSON.stringify({ ...own, scripts: { build } }));
  const lock = { name: "clone", version: "1.0.0", lockfileVersion: 3, requires: true, packages };
  await writeFile(join(clone, "package-lock.json"), JSON.stringify(lock));
}

async function setUp(env: Record<string, string> = {}, ...flags: readonly string[]) {
  const address = registry.address() as AddressInfo;
  const settings = {
    PATH: process.env["PATH"],
    HOME: clone,
    npm_config_cache: join(clone, "cache"),
    npm_config_registry: `http://127.0.0.1:${address.port}/`,
  };
  const run = promisify(execFile)(process.execPath, [...flags, join(clone, "scripts", "setup.cjs")], {
    env: { ...settings, ...env },
  });
  return await run.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, output: stdout + stderr }),
  );
}

test("it installs once, and again when package-lock.json has changed", async () => {
  await mkdir(join(clone, "node_modules"));
  const leftover = join(clone, "node_modules", "leftover");
  await writeFile(leftover, "");
  expect(await setUp()).toMatchObject({ code: 0 });
  expect(existsSync(leftover), "npm ci begins with an empty node_modules").toBe(false);

  await writeFile(leftover, "");
  expect(await setUp()).toMatchObject({ code: 0, output: "" });
  expect(existsSync(leftover)).toBe(true);

  await writeFile(join(clone, "package-lock.json"), `${await readFile(join(clone, "package-lock.json"), "utf8")}\n`);
  expect(await setUp()).toMatchObject({ code: 0 });
  expect(existsSync(leftover)).toBe(false);
});

test("a Node that is too old gets a message, not a stack", async () => {
  const old = join(clone, "old.cjs");
  await writeFile(old, 'Object.defineProperty(process, "versions", { value: { node: "0.10.48" } });');
  const { code, output } = await setUp({}, "--require", old);
  expect(code).toBe(1);
  expect(output).toMatch(
    /^setup: this is Node 0\.10\.48, and the set-up needs Node 18 or later, with its npm\.\n {2}Install .*\n$/,
  );
});

test("the file that looks at the version is one that old Nodes can read", async () => {
  const code = (await readFile(join(scripts, "setup.cjs"), "utf8")).replace(/^\s*\/\/.*$/gm, "");
  // what came after ES5 and could get in: by an edit, or by the formatter (a comma behind the last argument)
  expect(code).not.toMatch(/=>|`|\b(?:let|const|class|import|async|await)\b|\?\.|\?\?|,\s*\)|\.\.\.|node:/);
});

test("an npm that is too old gets a message", async () => {
  await mkdir(join(clone, "npm", "bin"), { recursive: true });
  await writeFile(join(clone, "npm", "package.json"), '{ "version": "9.2.0" }');
  await writeFile(join(clone, "npm", "bin", "npm-cli.js"), "");
  const { code, output } = await setUp({ npm_execpath: join(clone, "npm", "bin", "npm-cli.js") });
  expect(code).toBe(1);
  expect(output).toContain(
    "setup: this is npm 9.2.0, and the set-up needs npm 10 or later.\n  Run npm install --global npm@",
  );
});

test("no npm at all gets a message", async () => {
  const { code, output } = await setUp({ PATH: join(clone, "nowhere") });
  expect(code).toBe(1);
  expect(output).toMatch(/^setup: npm was not found, .*\n {2}It comes with Node/);
});

test("a registry that can't be reached: the reason and the remedy, without npm's stack and without credentials", async () => {
  await project("node -e 0 --", { "left-pad": "1.3.0" });
  const { code, output } = await setUp({ npm_config_registry: "http://user:hunter2@127.0.0.1:1/" });
  expect(code).toBe(1);
  expect(output).toContain(
    "setup: the dependencies could not be installed: the npm registry can't be reached (ECONNREFUSED, 127.0.0.1).",
  );
  expect(output).toContain("Check the network.");
  expect(output).toMatch(/npm's log: \/.*\.log\n$/);
  expect(output).not.toMatch(/hunter2| at |npm error/);
  expect(existsSync(join(clone, "node_modules", ".pillion-setup"))).toBe(false);
});

test("package.json and package-lock.json that don't fit together: says so", async () => {
  await mkdir(join(clone, "new"));
  await writeFile(join(clone, "new", "package.json"), '{ "name": "new", "version": "1.0.0" }');
  const own = await readFile(join(clone, "package.json"), "utf8");
  await writeFile(join(clone, "package.json"), own.replace('["part"]', '["part", "new"]'));
  const { code, output } = await setUp();
  expect(code).toBe(1);
  expect(output).toContain("package.json and package-lock.json don't fit together (EUSAGE).");
});

test("without a network, what npm has in its cache is enough", async () => {
  expect(await setUp({ npm_config_registry: "http://127.0.0.1:1/" })).toMatchObject({ code: 0 });
});

test("a build that fails shows what it said, and exits with 1", async () => {
  await project("echo the compiler has something to say && exit 3");
  const { code, output } = await setUp();
  expect(code).toBe(1);
  expect(output).toContain("setup: the build has failed:\n  the compiler has something to say");
});
