import { makeDirectory, systemCode } from "@pillion/kit";
import { errors } from "./errors.ts";
import { Journal } from "./journal.ts";
import { Store } from "./store.ts";

export interface Target {
  readonly store: Store;
  readonly journal: Journal;
}

/** Makes the directory ready, finishes what a crash interrupted. @throws TARGET_NOT_WRITABLE */
export async function openTarget(directory: string): Promise<Target> {
  const [store, journal] = [new Store(directory), new Journal(directory)];
  try {
    await makeDirectory(directory);
    await journal.load();
    await journal.write(journal.marks);
    await store.recover();
  } catch (cause) {
    if (!REFUSALS.has(systemCode(cause) ?? "")) throw cause;
    const reason = `can't be made or written to by uid ${process.geteuid?.()} (${systemCode(cause)})`;
    const remedy = "Give a directory on a writable volume that belongs to this user";
    throw errors.TARGET_NOT_WRITABLE({ subject: "--target", value: directory, reason, remedy, cause });
  }
  return { store, journal };
}

const REFUSALS: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOENT",
  "ENOTDIR",
  "EEXIST",
  "ENOSPC",
  "EISDIR",
]);
