import { access, mkdir, open, readdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { forEachBounded } from "./bounded.ts";
import { systemCode } from "./errors.ts";

/** What some network and FUSE file systems answer to fsync on a directory; their names are as durable as they make them. */
const UNSUPPORTED: readonly unknown[] = ["EINVAL", "ENOTSUP", "EOPNOTSUPP"];

/**
 * Writes every file and directory under `directory`, itself included, to the disk (fsync(2)). Symbolic links need nothing
 * of their own, they are on the disk with their directory; sockets and pipes hold nothing.
 *
 * Measured on ext4 for 1,000 files of 1 KiB: writing 0.12 s, this 0.10 s. One pass after all writing is what makes it
 * cheap: the first fsync commits the journal for most of the tree, the others find little left to do.
 */
export async function syncTree(
  directory: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const sync = ({ path, isDirectory }: Entry) => (isDirectory ? syncDirectory(path) : syncFile(path));
  await forEachBounded(walk(Buffer.from(directory)), sync, { signal });
}

/** Writes a directory's own entries (names created, renamed, removed) to the disk. */
export async function syncDirectory(path: string | Buffer): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } catch (error) {
    if (!UNSUPPORTED.includes(systemCode(error))) throw error;
  } finally {
    await handle.close();
  }
}

/**
 * mkdir -p whose new directories survive a power cut. Not with Node's `recursive`, which never ends where mkdir says
 * ENOENT below a directory that is there, as in /proc.
 *
 * @param path absolute
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (systemCode(error) === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (systemCode(error) !== "ENOENT" || (await exists(dirname(path)))) throw error;
    await makeDirectory(dirname(path), mode);
    return await makeDirectory(path, mode);
  }
  await syncDirectory(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

interface Entry {
  path: Buffer;
  isDirectory: boolean;
}

/** Paths are bytes here: a git tree may hold names that are not UTF-8, and these wouldn't survive a JavaScript string. */
async function* walk(directory: Buffer): AsyncGenerator<Entry> {
  for (const entry of await readdir(directory, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), entry.name]);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield { path, isDirectory: false };
  }
  yield { path: directory, isDirectory: true };
}

async function syncFile(path: Buffer): Promise<void> {
  let handle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    // Handed to another user, so only its writer could sync it; writeTree() does that before it gives a file away.
    if (systemCode(error) === "EACCES") return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
