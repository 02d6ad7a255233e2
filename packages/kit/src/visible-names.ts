import { readdir, readlink, symlink, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { forEachBounded } from "./bounded.ts";
import { syncDirectory } from "./durable.ts";
import { visibleNamesForeign } from "./generation-errors.ts";
import { unlessMissing } from "./symlink.ts";
import { refuseUnsafePaths } from "./tree-paths.ts";

/** What has to change beside the link so that every top-level name of a generation is seen there. */
export interface VisibleNames {
  directory: string;
  /** Name to text of the link to create. */
  missing: ReadonlyMap<string, string>;
  stale: readonly string[];
}

/**
 * Compares the names beside `link` with those in `generation`: `app.xml` has to be a link to `..data/app.xml`, the layout
 * of a Kubernetes ConfigMap volume. A link with exactly that text is ours; for a name that is taken by anything else this
 * throws GENERATION_VISIBLE_NAME_FOREIGN, and such names that the generation doesn't have are left alone.
 */
export async function planVisibleNames(link: string, generation: string): Promise<VisibleNames> {
  const directory = dirname(link);
  const wanted = await readdir(generation);
  refuseUnsafePaths(wanted);
  const missing = new Map(wanted.map((name) => [name, join(basename(link), name)]));
  const stale: string[] = [];
  const foreign: string[] = [];
  await forEachBounded(await readdir(directory, { withFileTypes: true }), async (entry) => {
    const path = join(directory, entry.name);
    const ours = entry.isSymbolicLink() && (await unlessMissing(readlink(path))) === join(basename(link), entry.name);
    if (!missing.delete(entry.name)) {
      if (ours) stale.push(path);
    } else if (!ours) foreign.push(path);
  });
  if (foreign.length > 0) throw visibleNamesForeign(foreign.toSorted());
  return { directory, missing, stale };
}

/** Called after the swap: a new name never dangles, and one that went away is there as long as the old tree is in force. */
export async function applyVisibleNames({ directory, missing, stale }: VisibleNames): Promise<void> {
  await forEachBounded(missing, ([name, text]) => symlink(text, join(directory, name)));
  await forEachBounded(stale, unlink);
  if (missing.size + stale.length > 0) await syncDirectory(directory);
}
