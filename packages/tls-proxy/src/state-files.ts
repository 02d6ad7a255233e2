import { randomUUID } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode } from "@pillion/kit";

/** Makes a directory that only this user may enter, and tightens one that was there already. */
export async function privateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

/** Replaces a file as a whole: a reader, or a crash, sees the old content or the new one. */
export async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  await throughTemporary(path, content, mode, (temporary) => rename(temporary, path));
}

/** Makes a file that must not exist yet; says `false` if another process was first. */
export async function createFileOnce(path: string, content: string, mode: number): Promise<boolean> {
  try {
    await throughTemporary(path, content, mode, (temporary) => link(temporary, path));
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** A file's text, or nothing where there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function throughTemporary(
  path: string,
  content: string,
  mode: number,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    await using file = await open(temporary, "wx", mode);
    await file.writeFile(content);
    await file.sync();
    await publish(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  // The rename itself is durable only when the directory is (fsync(2)).
  await using directory = await open(dirname(path), "r");
  await directory.sync();
}
