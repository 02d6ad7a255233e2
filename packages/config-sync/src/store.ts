import { Generations, writeTree } from "@pillion/kit";
import type { Generation } from "./next-step.ts";
import type { Files } from "./source.ts";

/** `..000042-0123456789abcdef`: a number that grows, and the content. Two generations may have the same content. */
const NAME = /^\.\.(\d{6,})-([\da-f]{16})$/;

/** The target: generations in it, the link `..data` to one of them, and a visible link through that for each file. */
export class Store {
  readonly #generations: Generations;

  constructor(target: string) {
    this.#generations = new Generations({
      root: target,
      directory: ".",
      link: "..data",
      names: NAME,
      visibleNames: true,
    });
  }

  /** What readers see. */
  async current(): Promise<Generation | undefined> {
    const name = await this.#generations.current();
    return name === undefined ? undefined : { name, content: contentIn(name) };
  }

  /** A generation that is still there. */
  async find(name: string): Promise<Generation | undefined> {
    const all = await this.#generations.list();
    return all.some((generation) => generation.name === name) ? { name, content: contentIn(name) } : undefined;
  }

  /** Writes a new generation to the disk and lets readers see it, in one step for all files. */
  async publish(content: string, files: Files, signal: AbortSignal): Promise<Generation> {
    const numbers = (await this.#generations.list()).map(({ name }) => Number(NAME.exec(name)?.[1]));
    const number = String(Math.max(0, ...numbers) + 1).padStart(6, "0");
    const name = `..${number}-${content}`;
    await this.#generations.stage(name, (directory) => writeTree(directory, files, { signal }), { signal });
    await this.#generations.publish(name, { signal });
    return { name, content };
  }

  /** Lets readers see an earlier generation again. */
  async republish(name: string): Promise<Generation> {
    await this.#generations.publish(name);
    return { name, content: contentIn(name) };
  }

  /** Keeps what readers see, what the app is known to live with, and the newest others for readers that have them open. */
  async tidy(keep: number, committed: string | undefined): Promise<void> {
    const others = (await this.#generations.list()).filter(({ current }) => !current);
    const doomed = others.slice(keep).filter(({ name }) => name !== committed);
    for (const { name } of doomed) await this.#generations.remove(name);
  }

  /** Removes what a crash left. */
  async recover(): Promise<void> {
    await this.#generations.recover();
  }
}

function contentIn(name: string): string {
  return NAME.exec(name)?.[2] ?? "";
}
