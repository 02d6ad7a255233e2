/**
 * Makes of each sidecar what goes into its image: `node images/bundle.ts DIRECTORY` writes, for each, a program and a
 * probe that need nothing but Node, links to them at the root, and the licences of the npm packages that are in them.
 */
import { chmod, mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { isBuiltin } from "node:module";
import { type BuildOptions, type Metafile, type Plugin, build } from "esbuild";

const repository = fileURLToPath(new URL("../", import.meta.url));

/** The sidecars, and by what further names each is started. */
const sidecars: Record<string, readonly string[]> = {
  topz: ["server"], // the name in the image that it can replace
  "tls-proxy": [],
  "repo-updater": [],
  "config-sync": [],
};

/** What a sidecar starts as further processes: a bundle of its own beside the program's. */
const workers: Record<string, string> = { "tls-proxy": "workers/worker.ts" };

/**
 * How Node runs them: a first line takes one flag. Without V8's memory reducer a program gives back what only starting took
 * (docs/decisions/0014).
 */
const SHEBANG = "#!/usr/local/bin/node --no-memory-reducer";

/** CommonJS packages inside call require for Node's own modules. */
const banner = {
  js: `${SHEBANG}\nimport{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);`,
};

/**
 * Node's own modules without `import`, which reads every export of a module for its namespace: for node:http that loads
 * the WebSocket client, 8 MB and 20 ms that no sidecar needs.
 */
const builtins: Plugin = {
  name: "builtins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path }) => (isBuiltin(path) ? { path, namespace: "builtin" } : undefined));
    onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }));
  },
};

/** prom-client loads its client for push gateways, which nobody here uses, and with it node:https: 3 MB. */
const withoutPushgateway: Plugin = {
  name: "without-pushgateway",
  setup({ onLoad }) {
    onLoad({ filter: /prom-client\/lib\/pushgateway\.js$/ }, () => ({ contents: "" }));
  },
};

const common: BuildOptions = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node26",
  conditions: ["@pillion/source"],
  minify: true,
  keepNames: true, // error classes are told by their names
  legalComments: "none", // they are in the licences
  plugins: [builtins, withoutPushgateway],
  absWorkingDir: repository,
};

const [output] = process.argv.slice(2);
if (!output) throw new Error("bundle.ts: no directory given; it is the argument");
try {
  for (const [name, aliases] of Object.entries(sidecars)) await bundle(name, aliases, join(output, name));
} catch (error) {
  // esbuild has shown what is wrong in the sources
  if (!(error instanceof Error && "errors" in error)) throw error;
  process.exitCode = 1;
}

async function bundle(name: string, aliases: readonly string[], directory: string): Promise<void> {
  const place = join(directory, "pillion");
  await mkdir(place, { recursive: true });
  const program = await write(join(place, `${name}.mjs`), {
    stdin: { contents: entry(name, [name, ...aliases]), resolveDir: repository },
    banner,
  });
  const probe = await write(join(place, "healthcheck.mjs"), {
    entryPoints: [`packages/${name}/src/healthcheck.ts`],
    banner: { js: SHEBANG },
  });
  const worker = workers[name];
  if (worker) await write(join(place, "worker.mjs"), { entryPoints: [`packages/${name}/src/${worker}`], banner });
  await writeFile(join(place, "licences.txt"), await licences([program, probe]));
  await symlink("pillion/healthcheck.mjs", join(directory, "healthcheck"));
  for (const link of [name, ...aliases]) await symlink(`pillion/${name}.mjs`, join(directory, link));
}

/** The image's entry point runs the program already: `docker run IMAGE /server --addr=…` names it once more. */
function entry(name: string, names: readonly string[]): string {
  const commands = JSON.stringify(names.map((each) => `/${each}`));
  return `if (${commands}.includes(process.argv[2])) process.argv.splice(2, 1);
await import("./packages/${name}/src/cli.ts");`;
}

async function write(outfile: string, options: BuildOptions): Promise<Metafile> {
  const { metafile } = await build({ ...common, ...options, metafile: true, outfile });
  await chmod(outfile, 0o755);
  return metafile;
}

/** The licence texts of all packages that files were taken from. */
async function licences(files: readonly Metafile[]): Promise<string> {
  const inputs = files.flatMap((file) => Object.keys(file.inputs)).filter((path) => path.includes("node_modules/"));
  const packages = [...new Set(inputs.map(packageOf))].toSorted();
  const texts = await Promise.all(packages.map((path) => licence(path)));
  return texts.join(`\n${"=".repeat(80)}\n\n`);
}

/** `node_modules/a/node_modules/@b/c/d.js` is a file of the package `node_modules/a/node_modules/@b/c`. */
function packageOf(path: string): string {
  const parts = path.split("/");
  const last = parts.lastIndexOf("node_modules");
  const length = parts[last + 1]?.startsWith("@") ? 3 : 2;
  return parts.slice(0, last + length).join(sep);
}

async function licence(path: string): Promise<string> {
  const place = join(repository, path);
  const { name, version, license } = JSON.parse(await readFile(join(place, "package.json"), "utf8"));
  const file = (await readdir(place)).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? await readFile(join(place, file), "utf8") : "";
  return `${name} ${version}, ${license}\n\n${text}`;
}
