import { readFile, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { Git } from "./git.ts";

/** Worktrees of the repository, each at one commit. Where they stand and which one readers see is not decided here. */
export class Worktrees {
  readonly #git: Git;
  readonly #repository: string;

  /** @param repository the repository's directory, absolute and free of links */
  constructor(git: Git, repository: string) {
    this.#git = git;
    this.#repository = repository;
  }

  /** Checks a commit out at a path where nothing stands. Until this resolves the tree may be half there. */
  async add(path: string, commit: string, signal: AbortSignal): Promise<void> {
    // Twice: also where an earlier one of this path is registered, and locked because it was never completed.
    const args = ["worktree", "add", "--detach", "--force", "--force", "--", path, commit];
    await this.#git.run(args, { signal, gitDirectory: this.#repository });
    await this.#makeMovable(path);
  }

  /** Whether the tree at the path has just the commit's content, and git can work in it. */
  async isIntact(path: string, commit: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#git.run(["diff", "--quiet", "--no-ext-diff", "--ignore-submodules", commit, "--"], {
        signal,
        worktree: path,
      });
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  /** Makes git forget the worktrees that are no longer there. */
  async forgetMissing(signal: AbortSignal): Promise<void> {
    await this.#git.run(["worktree", "prune", "--expire=now"], { signal, gitDirectory: this.#repository });
  }

  /** gitrepository-layout(5): `.git` names its directory; relative, it also holds where the volume is mounted elsewhere. */
  async #makeMovable(path: string): Promise<void> {
    const file = join(path, ".git");
    const directory = (await readFile(file, "utf8")).replace(/^gitdir: /, "").trim();
    const registered = join(this.#repository, "worktrees", basename(directory));
    await writeFile(file, `gitdir: ${relative(path, registered)}\n`);
  }
}
