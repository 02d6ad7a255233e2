import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Runs before and after `npm pack` in a package: what is published doesn't say what only a clone has, the condition
 * `@pillion/source` that leads to `src/`, scripts and development dependencies. npm, unlike pnpm, can't override
 * `exports` through `publishConfig`.
 */
const manifest = "package.json";
const original = "node_modules/.cache/package.json";

await (process.argv[2] === "restore" ? rename(original, manifest) : strip());

async function strip(): Promise<void> {
  const text = await readFile(manifest, "utf8");
  await mkdir(dirname(original), { recursive: true });
  await writeFile(original, text);
  const { scripts: _scripts, devDependencies: _tools, ...published } = JSON.parse(text, withoutSource);
  await writeFile(manifest, `${JSON.stringify(published, null, 2)}\n`);
}

function withoutSource(key: string, value: unknown): unknown {
  return key === "@pillion/source" ? undefined : value;
}
