import { chmod, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { forEachBounded } from "./bounded.ts";
import { parentsOf, refuseUnsafePaths } from "./tree-paths.ts";

export interface TreeFile {
  bytes: Uint8Array;
  /** Permission bits, such as `0o640`; the umask has no say. */
  mode: number;
  /** Numeric owner; giving a file away takes CAP_CHOWN. */
  owner?: { uid: number; gid: number };
}

/**
 * Writes files into an existing, empty directory; keys are relative paths with `/`. Directories in between get `0755`.
 * Throws GENERATION_PATH_UNSAFE before anything is written. To be made durable by syncTree() afterwards.
 */
export async function writeTree(
  directory: string,
  files: ReadonlyMap<string, TreeFile>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  refuseUnsafePaths(files.keys());
  const parents = new Set([...files.keys()].flatMap(parentsOf));
  // Sorted, a directory comes before what is in it.
  for (const parent of [...parents].toSorted()) {
    signal?.throwIfAborted();
    await mkdir(join(directory, parent));
    await chmod(join(directory, parent), 0o755);
  }
  await forEachBounded(files, ([path, file]) => writeTreeFile(join(directory, path), file), {
    signal,
  });
}

async function writeTreeFile(path: string, { bytes, mode, owner }: TreeFile): Promise<void> {
  // Closed to others until its mode and owner are right; "x" never follows a link or opens what is there already.
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.chmod(mode);
    if (owner !== undefined) {
      // Mode before owner: afterwards chmod would need CAP_FOWNER, and syncTree() may not be able to open the file.
      await handle.sync();
      await handle.chown(owner.uid, owner.gid);
    }
  } finally {
    await handle.close();
  }
}
