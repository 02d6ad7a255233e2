import { chmod, lstat, readdir, rename, rm, utimes } from "node:fs/promises";
import { join, resolve } from "node:path";
import { syncDirectory, syncTree } from "./durable.ts";
import { systemCode } from "./errors.ts";
import { inUse, nameInvalid, notFound } from "./generation-errors.ts";
import { GenerationLink, type LinkState } from "./generation-link.ts";
import { unlessMissing } from "./symlink.ts";
import { applyVisibleNames, planVisibleNames } from "./visible-names.ts";
import { WorkDirectory } from "./work-directory.ts";

export interface GenerationsOptions {
  /** Directory under which everything happens; it may be reached through links. */
  root: string;
  /** Where generations stand, relative to `root`; "." when they stand beside what else is there. */
  directory: string;
  /** The link that readers follow; relative to `root`, or absolute. */
  link: string;
  /** What a generation's name looks like. Nothing that doesn't match is ever listed, published or removed. */
  names: RegExp;
  /** Show each top-level name of the current generation beside the link, as a link through it. */
  visibleNames?: boolean;
}

export interface Generation {
  name: string;
  current: boolean;
  /** When it was last published or replaced by another one, else when it was made; in milliseconds since the epoch. */
  since: number;
}

interface Waiting {
  signal?: AbortSignal | undefined;
}

/** The working directory's name among the generations. */
const WORK = "..pillion";

/**
 * Directory generations behind one symbolic link, which is swapped by rename(2): a reader that resolves it once sees the
 * old tree or the new one, whole, and after a crash or power cut so does the next start. One process writes to a store.
 *
 * A generation from stage() is complete and on the disk once it stands under its name. One that somebody else fills in
 * place, such as a git worktree, can't be told from a half-made one by its name: its maker has to check it after a crash.
 */
export class Generations {
  readonly #root: string;
  readonly #directory: string;
  readonly #link: GenerationLink;
  readonly #names: RegExp;
  readonly #visibleNames: boolean;
  readonly #work: WorkDirectory;
  /** Staged by this object, so on the disk already. */
  readonly #durable = new Set<string>();

  constructor({ root, directory, link, names, visibleNames = false }: GenerationsOptions) {
    this.#root = resolve(root);
    this.#directory = join(this.#root, directory);
    this.#names = names;
    this.#visibleNames = visibleNames;
    this.#link = new GenerationLink(resolve(this.#root, link), this.#directory, (name) => this.#isName(name));
    this.#work = new WorkDirectory(join(this.#directory, WORK));
  }

  /** Throws GENERATION_NAME_INVALID, as does everything here that takes a name. */
  path(name: string): string {
    if (!this.#isName(name)) throw nameInvalid(name, this.#names);
    return join(this.#directory, name);
  }

  link(): Promise<LinkState> {
    return this.#link.state();
  }

  /** The generation that readers see. */
  async current(): Promise<string | undefined> {
    const link = await this.link();
    return link.kind === "current" ? link.name : undefined;
  }

  /** What stands under a generation's name, newest first. What is being staged isn't there yet. */
  async list(): Promise<Generation[]> {
    const held = await this.#link.held();
    const entries = (await unlessMissing(readdir(this.#directory, { withFileTypes: true }))) ?? [];
    const found = entries.filter((entry) => entry.isDirectory() && this.#isName(entry.name));
    const generations = found.map(async ({ name }) => {
      const { mtimeMs } = await lstat(this.path(name));
      return { name, current: name === held, since: mtimeMs };
    });
    return (await Promise.all(generations)).toSorted((a, b) => b.since - a.since);
  }

  /**
   * Makes a generation that is there under its name only when `fill` has filled the directory it is given and all of
   * that is on the disk. One of the same name is replaced, unless readers see it (GENERATION_IN_USE). To be left
   * unchanged afterwards. A tree whose fsync failed is gone: a second fsync would succeed without having written anything.
   */
  async stage(name: string, fill: (directory: string) => Promise<void>, { signal }: Waiting = {}): Promise<string> {
    const path = this.path(name);
    if (name === (await this.#link.held())) throw inUse(path, this.#link.path);
    const staging = await this.#work.newStaging();
    try {
      await fill(staging);
      await chmod(staging, 0o755);
      await syncTree(staging, { signal });
      signal?.throwIfAborted();
      await this.#discard(name);
      await rename(staging, path);
    } catch (error) {
      // What can't be removed now is removed by recover(); the first error is the one to tell.
      await rm(staging, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
    await syncDirectory(this.#directory);
    this.#durable.add(name);
    return path;
  }

  /**
   * 1. every file and directory of the generation, and its name, are written to the disk; 2. the link is swapped; 3. the
   * link's directory is written. Returns the generation that readers saw before. Any link in the link's place is replaced,
   * a file or directory is not (GENERATION_LINK_OCCUPIED). When it fails in step 1, the generation should be made anew.
   */
  async publish(name: string, { signal }: Waiting = {}): Promise<string | undefined> {
    const path = this.path(name);
    if (!(await unlessMissing(lstat(path)))?.isDirectory()) throw notFound(path);
    const before = await this.link();
    const previous = before.kind === "current" ? before.name : undefined;
    const visible = this.#visibleNames ? await planVisibleNames(this.#link.path, path) : undefined;
    if (!this.#durable.has(name)) {
      await syncTree(path, { signal });
      for (const parent of new Set([this.#directory, this.#root])) await syncDirectory(parent);
    }
    signal?.throwIfAborted();
    for (const touched of new Set([previous ?? name, name])) await touch(this.path(touched));
    await this.#link.swap(name);
    if (visible !== undefined) await applyVisibleNames(visible);
    return previous;
  }

  /**
   * Removes all but the current generation and the `keep` newest others; of these only what has been out of use since
   * before `unusedSince` (milliseconds since the epoch), when given. Returns the removed names.
   */
  async prune({ keep, unusedSince = Infinity }: { keep: number; unusedSince?: number }): Promise<string[]> {
    const spare = (await this.list()).filter((generation) => !generation.current).slice(keep);
    const doomed = spare.filter(({ since }) => since < unusedSince);
    for (const { name } of doomed) await this.#discard(name);
    await this.#work.emptyTrash();
    return doomed.map(({ name }) => name);
  }

  /** Removes what has this name, whatever it is, unless readers see it (GENERATION_IN_USE). */
  async remove(name: string): Promise<void> {
    if (name === (await this.#link.held())) throw inUse(this.path(name), this.#link.path);
    await this.#discard(name);
    await this.#work.emptyTrash();
  }

  /**
   * To be called at start: removes what a crash at any step left behind (a link not yet renamed, staged trees, trash) and
   * finishes the visible names. Never touches a generation, or anything that was not made here. Returns what it removed.
   */
  async recover(): Promise<string[]> {
    const removed = await this.#link.removeLeftover();
    if ((await this.#link.held()) !== WORK) removed.push(...(await this.#work.clear()));
    const current = await this.current();
    if (this.#visibleNames && current !== undefined) {
      await applyVisibleNames(await planVisibleNames(this.#link.path, this.path(current)));
    }
    return removed;
  }

  #isName(name: string): boolean {
    if (["", ".", "..", WORK].includes(name) || name.includes("/")) return false;
    return this.#names.test(name) && join(this.#directory, name) !== this.#link.path;
  }

  async #discard(name: string): Promise<void> {
    this.#durable.delete(name);
    await this.#work.discard(this.path(name));
  }
}

/** The time orders generations, nothing more: it is no reason to fail where only the owner may set it. */
async function touch(directory: string): Promise<void> {
  const now = (performance.timeOrigin + performance.now()) / 1000;
  try {
    await utimes(directory, now, now);
  } catch (error) {
    if (systemCode(error) !== "EPERM") throw error;
  }
}
