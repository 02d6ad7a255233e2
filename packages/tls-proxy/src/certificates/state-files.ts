import { chmod, readFile } from "node:fs/promises";
import { makeDirectory, systemCode } from "@pillion/kit";

/** Makes a directory that only this user may enter, and tightens one that was there already. */
export async function privateDirectory(path: string): Promise<void> {
  await makeDirectory(path, 0o700);
  await chmod(path, 0o700);
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
