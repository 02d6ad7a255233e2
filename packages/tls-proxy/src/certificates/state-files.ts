import { access, chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createFileOnce, makeDirectory, systemCode } from "@pillion/kit";

/** Makes the state directory so that git leaves its keys alone. One that is there already is as its owner wants it. */
export async function stateDirectory(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await makeDirectory(path, 0o700);
  await createFileOnce(join(path, ".gitignore"), "*\n", 0o644);
}

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
