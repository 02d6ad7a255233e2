import { readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";

/**
 * What a killed git leaves in a repository: locks (lockfile API: `NAME.lock`; no ref may end so, git-check-ref-format(1)),
 * the pid of a garbage collection, objects and packs half written, and the lock of a worktree that was being made.
 */
const LEFTOVER = /\.lock$|^gc\.pid$|\/tmp_(?:obj|pack|idx|rev)_[^/]*$|\/\.tmp-[^/]*$|^worktrees\/[^/]+\/locked$/;

/**
 * Removes it. Only to be called while no git works in the repository: the root is claimed by one process at a time, and
 * that has killed what an earlier one may have left running.
 *
 * @returns the paths of what was removed
 */
export async function removeLeftovers(gitDirectory: string): Promise<readonly string[]> {
  const entries = await readdir(gitDirectory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const left = files.filter((path) => LEFTOVER.test(relative(gitDirectory, path)));
  for (const path of left) await rm(path, { force: true });
  return left;
}
