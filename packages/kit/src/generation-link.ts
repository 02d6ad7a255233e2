import { lstat, realpath } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { makeDirectory } from "./durable.ts";
import { readLink, removeSwapLink, replaceLink, swapPath, unlessMissing } from "./symlink.ts";

/** Where the link leads; everything but "current" means that readers don't see a generation of this store. */
export type LinkState =
  | { kind: "current"; name: string }
  | { kind: "missing" }
  | { kind: "dangling"; target: string }
  | { kind: "foreign"; target: string }
  | { kind: "occupied"; by: "directory" | "file" };

/** The link that readers follow into a directory of generations. Both are absolute paths, and may lead through links. */
export class GenerationLink {
  readonly path: string;
  readonly #directory: string;
  readonly #isName: (name: string) => boolean;

  constructor(path: string, directory: string, isName: (name: string) => boolean) {
    this.path = path;
    this.#directory = directory;
    this.#isName = isName;
  }

  async state(): Promise<LinkState> {
    const reading = await readLink(this.path);
    if (reading.kind !== "resolved") return reading;
    const name = await this.#within(reading.path);
    const isGeneration = this.#isName(name) && (await lstat(reading.path)).isDirectory();
    return isGeneration ? { kind: "current", name } : { kind: "foreign", target: reading.target };
  }

  /** The entry among the generations that the link leads to or through, even where that is not one of ours. */
  async held(): Promise<string | undefined> {
    const reading = await readLink(this.path);
    return reading.kind === "resolved" ? (await this.#within(reading.path)).split("/")[0] : undefined;
  }

  async swap(name: string): Promise<void> {
    await makeDirectory(dirname(this.path));
    await this.removeLeftover();
    // Relative, so that it also holds where the volume is mounted elsewhere. Between real paths, because the kernel
    // goes up ("..") from where the link really is.
    const from = await realpath(dirname(this.path));
    await replaceLink(this.path, join(relative(from, await realpath(this.#directory)), name));
  }

  /** Returns the path of the link that a crash kept from being renamed, if there was one. */
  async removeLeftover(): Promise<string[]> {
    return (await removeSwapLink(this.path, this.#isName)) ? [swapPath(this.path)] : [];
  }

  /** A path relative to the generations, free of links. */
  async #within(path: string): Promise<string> {
    const directory = await unlessMissing(realpath(this.#directory));
    return directory === undefined ? ".." : relative(directory, path);
  }
}
