import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, systemCode } from "@pillion/kit";
import { type Marks, NO_MARKS } from "./marks.ts";

/** Names with `..` in front are never configuration, so it can't collide with a published file. */
const NAME = "..config-sync.json";

/** The marks on the disk. */
export class Journal {
  readonly #path: string;
  #marks: Marks = NO_MARKS;

  constructor(directory: string) {
    this.#path = join(directory, NAME);
  }

  get marks(): Marks {
    return this.#marks;
  }

  /** What an earlier run left. A file that isn't ours counts as none: then the app is told once more than needed. */
  async load(): Promise<void> {
    try {
      const found = JSON.parse(await readFile(this.#path, "utf8")) as (Partial<Marks> & { version?: unknown }) | null;
      const { version, ...marks } = found ?? {};
      if (version === 1) this.#marks = { ...NO_MARKS, ...marks };
    } catch (error) {
      if (!(error instanceof SyntaxError) && systemCode(error) !== "ENOENT") throw error;
    }
  }

  /** On the disk, name included, when it resolves. */
  async write(marks: Marks): Promise<void> {
    await replaceFile(this.#path, `${JSON.stringify({ version: 1, ...marks })}\n`, 0o600);
    this.#marks = marks;
  }
}
