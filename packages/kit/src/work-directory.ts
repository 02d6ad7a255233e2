import { randomUUID } from "node:crypto";
import { lstat, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectory } from "./durable.ts";
import { placeOccupied } from "./generation-errors.ts";
import { unlessMissing } from "./symlink.ts";

/** Where trees stand that are not whole yet, or not any more: on the file system of the generations, closed to readers. */
export class WorkDirectory {
  readonly #path: string;
  readonly #trash: string;

  constructor(path: string) {
    this.#path = path;
    this.#trash = join(path, "trash");
  }

  async newStaging(): Promise<string> {
    await this.#make();
    return await mkdtemp(join(this.#path, "staging-"));
  }

  /** Takes something away from its name in one step, so that nobody sees it half removed there. */
  async discard(path: string): Promise<void> {
    if ((await unlessMissing(lstat(path))) === undefined) return;
    await this.#make();
    await makeDirectory(this.#trash);
    await rename(path, join(this.#trash, randomUUID()));
  }

  async emptyTrash(): Promise<void> {
    if (await this.#exists()) await rm(this.#trash, { recursive: true, force: true });
  }

  /** Removes itself with all that is in it, and tells what that was. */
  async clear(): Promise<string[]> {
    if (!(await this.#exists())) return [];
    const left = await readdir(this.#path);
    await rm(this.#path, { recursive: true });
    return left.map((name) => join(this.#path, name));
  }

  async #make(): Promise<void> {
    if (await this.#exists()) return;
    await makeDirectory(dirname(this.#path));
    await mkdir(this.#path, 0o700);
  }

  async #exists(): Promise<boolean> {
    const found = await unlessMissing(lstat(this.#path));
    if (found !== undefined && !found.isDirectory()) throw placeOccupied(this.#path);
    return found !== undefined;
  }
}
