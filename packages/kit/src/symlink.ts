import { lstat, readlink, realpath, rename, symlink, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncDirectory } from "./durable.ts";
import { systemCode } from "./errors.ts";
import { linkOccupied, placeOccupied } from "./generation-errors.ts";

/** What stands where a symbolic link is expected. `target` is the link's text, `path` the absolute place it leads to. */
export type LinkReading =
  | { kind: "missing" }
  | { kind: "resolved"; target: string; path: string }
  | { kind: "dangling"; target: string }
  | { kind: "occupied"; by: "directory" | "file" };

export async function readLink(link: string): Promise<LinkReading> {
  const found = await unlessMissing(lstat(link));
  if (found === undefined) return { kind: "missing" };
  if (!found.isSymbolicLink()) return { kind: "occupied", by: found.isDirectory() ? "directory" : "file" };
  const target = await readlink(link);
  const path = await unlessMissing(realpath(link));
  return path === undefined ? { kind: "dangling", target } : { kind: "resolved", target, path };
}

/**
 * Makes `link` lead to `target` in one step: a new link beside it is renamed over it (rename(2) is atomic), so that a
 * reader finds the old target or the new one, never none. The new link's text is put into the link as it is.
 */
export async function replaceLink(link: string, target: string): Promise<void> {
  const before = await readLink(link);
  if (before.kind === "occupied") throw linkOccupied(link, before.by);
  if (!("target" in before) || before.target !== target) {
    await symlink(target, swapPath(link));
    await rename(swapPath(link), link);
  }
  // Also when the link was right already: a crash may have come between its rename and this.
  await syncDirectory(dirname(link));
}

/** Removes what a crash left of replaceLink(): a link whose target's last part is `isOurs`. True when there was one. */
export async function removeSwapLink(link: string, isOurs: (name: string) => boolean): Promise<boolean> {
  const path = swapPath(link);
  const left = await readLink(path);
  if (left.kind === "missing") return false;
  if (!("target" in left) || !isOurs(basename(left.target))) throw placeOccupied(path);
  await unlink(path);
  return true;
}

/** Hidden from a directory listing, and always the same, so that recovery needs no search. */
export function swapPath(link: string): string {
  return join(dirname(link), `.${basename(link)}.swap`);
}

/** For a path that leads through links, a part that is no directory and a loop amount to "not there". */
export async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}
