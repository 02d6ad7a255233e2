import { access, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errors } from "./errors.ts";
import type { Git, Source } from "./git.ts";
import { removeLeftovers } from "./leftovers.ts";
import { type Target, candidates, chooseTarget, isFullHash } from "./ref.ts";

/** What was fetched last, so that no garbage collection takes it. */
const KEPT = "refs/repo-updater/head";
/** Our mark, and what the published content comes from. Only a repository that has it is ever removed. */
const RECORD = "repo-updater.json";
/** gitrepository-layout(5). Written at each start, so that nothing else stands in it. */
const CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";

export interface RepositoryOptions {
  /** Absolute, free of links. */
  readonly root: string;
  readonly source: Source;
  /** Commits of history; 0: all. */
  readonly depth: number;
}

/** The local copy of the repository: `.git` in the root, bare, as the worktrees stand elsewhere. */
export class Repository {
  readonly #git: Git;
  readonly #options: RepositoryOptions;
  readonly directory: string;
  /** Where a full hash led to; it may be that of an annotated tag. */
  #pinned: string | undefined;

  constructor(git: Git, options: RepositoryOptions) {
    this.#git = git;
    this.#options = options;
    this.directory = join(options.root, ".git");
  }

  /**
   * Makes it, or frees it of what a killed git left. It appears under its name in one step, so it is never half made.
   *
   * @throws ROOT_FOREIGN when there is a repository that isn't ours
   */
  async open(signal: AbortSignal): Promise<void> {
    for (const path of [this.#making, this.#discarded]) await rm(path, { recursive: true, force: true });
    if (await exists(this.directory)) {
      if (!(await exists(join(this.directory, RECORD)))) throw foreign(this.directory);
      await removeLeftovers(this.directory);
      await writeFile(join(this.directory, "config"), CONFIG);
      return;
    }
    await this.#git.run(["init", "--bare", "--template=", this.#making], { signal });
    await writeFile(join(this.#making, "config"), CONFIG);
    await writeFile(join(this.#making, RECORD), "{}\n");
    await rename(this.#making, this.directory);
  }

  /**
   * Asks the server for the commit that the ref leads to: one command, whether or not there is something new.
   *
   * @throws REF_NOT_FOUND, REPOSITORY_NOT_FOUND, …_ACCESS_DENIED, …_UNREACHABLE, …_UNTRUSTED
   */
  async resolve(signal: AbortSignal): Promise<Target> {
    const { url, ref } = this.#options.source;
    if (isFullHash(ref)) return { name: ref, hash: this.#pinned ?? ref };
    const patterns = candidates(ref).flatMap((name) => [name, `${name}^{}`]);
    const listing = await this.#run(["ls-remote", "--", url, ...patterns], signal, { remote: true });
    const target = chooseTarget(ref, listing);
    if (!target) throw refNotFound(ref);
    return target;
  }

  /** Fetches what the target's name leads to by now, and resolves with the hash of that commit. */
  async fetch({ name }: Target, signal: AbortSignal): Promise<string> {
    const { source, depth } = this.#options;
    const isShallow = await exists(join(this.directory, "shallow"));
    const history = depth > 0 ? [`--depth=${depth}`] : isShallow ? ["--unshallow"] : [];
    const plain = [
      "--no-progress",
      "--force",
      "--no-tags",
      "--no-write-fetch-head",
      "--no-auto-maintenance",
      "--update-shallow",
    ];
    await this.#run(["fetch", ...plain, ...history, "--", source.url, `+${name}:${KEPT}`], signal, { remote: true });
    const commit = (await this.#run(["rev-parse", "--verify", `${KEPT}^{commit}`], signal)).trim();
    if (isFullHash(source.ref)) this.#pinned = commit;
    return commit;
  }

  /** False when objects that history or worktrees need are missing, or nothing in it can be read at all. */
  async isSound(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#run(["fsck", "--connectivity-only", "--no-progress", "--no-dangling"], signal);
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  /** Puts it away, to be made anew by open(). Published trees stay as they are. */
  async discard(): Promise<void> {
    await rm(this.#discarded, { recursive: true, force: true });
    await rename(this.directory, this.#discarded);
    await rm(this.#discarded, { recursive: true, force: true });
  }

  /** Packs and removes what is no longer needed, when enough of it has gathered (git-gc(1), `--auto`). */
  async collectGarbage(signal: AbortSignal): Promise<void> {
    await this.#run(["gc", "--auto", "--quiet", "--prune=now"], signal);
  }

  /** Whether what is published comes from the repository and the ref that are asked for now. */
  async isRecorded(): Promise<boolean> {
    const record = await readFile(join(this.directory, RECORD), "utf8").catch(() => "");
    return record === this.#record;
  }

  async record(): Promise<void> {
    const path = join(this.directory, RECORD);
    await writeFile(`${path}.lock`, this.#record);
    await rename(`${path}.lock`, path);
  }

  get #record(): string {
    const { url, ref } = this.#options.source;
    return `${JSON.stringify({ url, ref })}\n`;
  }

  get #making(): string {
    return `${this.directory}.making`;
  }

  get #discarded(): string {
    return `${this.directory}.discarded`;
  }

  #run(args: readonly string[], signal: AbortSignal, { remote = false } = {}): Promise<string> {
    return this.#git.run(args, { signal, remote, gitDirectory: this.directory });
  }
}

function foreign(directory: string): Error {
  const reason = "a git repository that repo-updater didn't make, and leaves alone";
  return errors.ROOT_FOREIGN({ subject: "--root", value: directory, reason, remedy: "Give a directory of its own" });
}

function refNotFound(ref: string): Error {
  const abbreviated = /^[0-9a-f]{4,39}$/i.test(ref) ? "; a commit has to be given with its full hash" : "";
  const reason =
    ref === "HEAD" ? "the repository is empty, or its HEAD leads nowhere" : "the repository has no such branch or tag";
  return errors.REF_NOT_FOUND({ subject: "--ref", value: ref, reason, remedy: `Check --ref${abbreviated}` });
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
