import { Generations, type Logger, messageOf, systemCode } from "@pillion/kit";
import { errors } from "./errors.ts";
import type { Git } from "./git.ts";
import type { Repository } from "./repository.ts";
import type { Worktrees } from "./worktree.ts";

/** SHA-1 object names, which the worktrees are called after. */
const COMMIT = /^[0-9a-f]{40}$/;

export interface SyncOptions {
  readonly git: Git;
  readonly repository: Repository;
  readonly worktrees: Worktrees;
  /** Absolute, both. */
  readonly root: string;
  readonly link: string;
  /** How long a round may take, and how long a tree is kept after its replacement; milliseconds. */
  readonly timeout: number;
  readonly staleWorktreeTimeout: number;
  readonly log: Logger;
}

export interface Round {
  readonly outcome: "updated" | "unchanged";
  /** The commit that readers see. */
  readonly commit: string;
}

/** Brings what readers see to the commit that the ref leads to, from whatever state the root is in. */
export class Sync {
  readonly #options: SyncOptions;
  readonly #trees: Generations;
  /** Where a tree stands in for the published one while that is made again under the same name. */
  readonly #spare: Generations;
  /** Whether nothing was left half done. */
  #inOrder = false;
  /** False until the first fetch, which is always done: depth or repository may not be those of the last run. */
  #fetched = false;
  /** The commit whose tree this process made, or found intact. */
  #intact: string | undefined;
  /** Whether the repository was made anew since the last good round: once has to be enough. */
  #remade = false;

  constructor(options: SyncOptions) {
    this.#options = options;
    const { root, link } = options;
    this.#trees = new Generations({ root, directory: ".worktrees", link, names: COMMIT });
    this.#spare = new Generations({ root, directory: ".worktrees.spare", link, names: COMMIT });
  }

  /**
   * Puts in order what a killed process left behind. Resolves with the published commit when that is good: whole, and
   * from the repository and ref that are asked for.
   *
   * @throws ROOT_FOREIGN, LINK_OCCUPIED, and the system's own errors
   */
  async recover(signal: AbortSignal): Promise<string | undefined> {
    const { git, repository, link } = this.#options;
    const place = await this.#trees.link();
    if (place.kind === "occupied") throw occupied(link, place.by);
    await git.killAll();
    await repository.open(signal);
    await this.#trees.recover();
    await this.#spare.recover();
    this.#inOrder = true;
    return (await repository.isRecorded()) ? await this.#published(signal) : undefined;
  }

  /**
   * One round, with the house-keeping at its end.
   *
   * @param onGood told before the house-keeping, when readers see what they should
   * @throws one of errors.ts; what readers see is as good as before then
   */
  async round(signal: AbortSignal, onGood: (round: Round) => void): Promise<void> {
    const tooLate = new AbortController();
    const timer = setTimeout(() => tooLate.abort(), this.#options.timeout);
    const either = AbortSignal.any([signal, tooLate.signal]);
    try {
      if (!this.#inOrder) await this.recover(either);
      this.#inOrder = false;
      const round = await this.#bringOrRemake(either);
      onGood(round);
      await this.#keepHouse(round, either);
    } catch (error) {
      signal.throwIfAborted();
      throw tooLate.signal.aborted ? overdue(this.#options.timeout) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #bringOrRemake(signal: AbortSignal): Promise<Round> {
    const { repository, log } = this.#options;
    try {
      return await this.#bring(signal);
    } catch (error) {
      if (this.#remade || !(await this.#isDamage(error, signal))) throw error;
      log.warn({ error: messageOf(error) }, "the local repository is damaged: making it again");
      this.#remade = true;
      await repository.discard();
      await repository.open(signal);
      this.#intact = undefined;
      return await this.#bring(signal);
    }
  }

  async #bring(signal: AbortSignal): Promise<Round> {
    const { repository } = this.#options;
    const target = await repository.resolve(signal);
    const published = await this.#published(signal);
    if (published === target.hash && this.#fetched) return { outcome: "unchanged", commit: published };
    const commit = await repository.fetch(target, signal);
    this.#fetched = true;
    if (published !== commit) await this.#publish(commit, signal);
    if (!(await repository.isRecorded())) await repository.record();
    this.#remade = false;
    return { outcome: published === commit ? "unchanged" : "updated", commit };
  }

  /** The commit that readers see, when its tree is intact. */
  async #published(signal: AbortSignal): Promise<string | undefined> {
    const current = await this.#trees.current();
    if (current === undefined || current === this.#intact) return current;
    if (!(await this.#options.worktrees.isIntact(this.#trees.path(current), current, signal))) return undefined;
    this.#intact = current;
    return current;
  }

  async #publish(commit: string, signal: AbortSignal): Promise<void> {
    const path = this.#trees.path(commit);
    if (!(await this.#options.worktrees.isIntact(path, commit, signal))) {
      await this.#makeRoom(commit, signal);
      await this.#checkOut(path, commit, signal);
    }
    await this.#trees.publish(commit, { signal });
    this.#intact = commit;
  }

  /** Removes a tree that isn't intact. When it is the published one, readers get a whole one from elsewhere first. */
  async #makeRoom(commit: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#trees.remove(commit);
    } catch (error) {
      if (systemCode(error) !== "GENERATION_IN_USE") throw error;
      await this.#spare.remove(commit);
      await this.#checkOut(this.#spare.path(commit), commit, signal);
      await this.#spare.publish(commit, { signal });
      await this.#trees.remove(commit);
    }
  }

  async #checkOut(path: string, commit: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.worktrees.add(path, commit, signal);
    } catch (cause) {
      throw systemCode(cause) === errors.GIT_FAILED.code ? damaged(commit, cause) : cause;
    }
  }

  /** Only what nothing else explains is looked into: a server that is away is no reason to fetch everything again. */
  async #isDamage(error: unknown, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (systemCode(error) === errors.REPOSITORY_DAMAGED.code) return true;
    return systemCode(error) === errors.GIT_FAILED.code && !(await this.#options.repository.isSound(signal));
  }

  /** The content is published already, so that what fails here is only said. */
  async #keepHouse({ outcome }: Round, signal: AbortSignal): Promise<void> {
    const { repository, worktrees, staleWorktreeTimeout, log } = this.#options;
    try {
      const stale = staleWorktreeTimeout > 0 ? { unusedSince: Date.now() - staleWorktreeTimeout } : {};
      const removed = [...(await this.#trees.prune({ keep: 0, ...stale })), ...(await this.#spare.prune({ keep: 0 }))];
      if (outcome === "updated" || removed.length > 0) await worktrees.forgetMissing(signal);
      if (outcome === "updated") await repository.collectGarbage(signal);
      this.#inOrder = true;
    } catch (error) {
      log.warn({ error: messageOf(error) }, "what is no longer needed couldn't be removed");
    }
  }
}

function damaged(commit: string, cause: unknown): Error {
  const fault = { subject: "commit", value: commit, reason: "can't be checked out of the local repository", cause };
  return errors.REPOSITORY_DAMAGED({ ...fault, remedy: "Look at git's message, and at the disk under --root" });
}

function overdue(timeout: number): Error {
  const fault = {
    subject: "--sync-timeout",
    value: `${timeout}ms`,
    reason: "the round wasn't done by then, and was stopped",
  };
  return errors.SYNC_TIMEOUT({ ...fault, remedy: "Raise it for a large repository or a slow server" });
}

function occupied(link: string, by: string): Error {
  const fault = { subject: "--link", value: link, reason: `a ${by} stands there that isn't a link, and is left alone` };
  return errors.LINK_OCCUPIED({ ...fault, remedy: "Move it away, or give another --link" });
}
