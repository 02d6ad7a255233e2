import { randomUUID } from "node:crypto";
import { link, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "./durable.ts";
import { systemCode } from "./errors.ts";

/** Replaces a file as a whole, durably: a reader, or a crash, sees the old content or the new one. */
export async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  await throughTemporary(path, content, mode, (temporary) => rename(temporary, path));
}

/** Makes a file that must not exist yet, durably; says `false` if another process was first. */
export async function createFileOnce(path: string, content: string, mode: number): Promise<boolean> {
  try {
    await throughTemporary(path, content, mode, (temporary) => link(temporary, path));
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function throughTemporary(
  path: string,
  content: string,
  mode: number,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `..${randomUUID()}.tmp`);
  try {
    await using file = await open(temporary, "wx", mode);
    await file.writeFile(content);
    await file.sync();
    await publish(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(directory);
}
