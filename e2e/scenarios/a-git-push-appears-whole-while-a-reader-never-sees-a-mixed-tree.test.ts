import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { scenario } from "../drivers/scenario.ts";
import { askHttps } from "./parts/asking.ts";
import { PAGES, noticeboard } from "./parts/noticeboard.ts";
import { push } from "./parts/repository.ts";

const ROUNDS = 10;
const LEAVES = Array.from({ length: 25 }, (_, index) => `leaf-${index}.txt`);

scenario(
  "a git push appears whole, while a reader never sees a mixed tree",
  { on: ["process", "image", "pod"] },
  async ({ start }) => {
    const plan = noticeboard("repo-updater", "tls-proxy");
    const group = await start({
      ...plan,
      sidecars: {
        ...plan.sidecars,
        // so that a tree is never taken away from the reader in the middle
        "repo-updater": (places) => [...(plan.sidecars["repo-updater"]?.(places) ?? []), "--stale-worktree-timeout=1m"],
      },
    });
    await push(group, edition(0));
    const link = join(group.places.directory, PAGES);
    await expect.poll(() => readTree(link)).toEqual(["edition 0"]);

    const trees: string[][] = [];
    const done = new AbortController();
    const reading = readAgainAndAgain(link, trees, done.signal);
    for (let round = 1; round <= ROUNDS; round++) {
      // two in a row: the second comes while the first is being fetched
      await push(group, edition(2 * round - 1));
      await push(group, edition(2 * round));
      await expect.poll(async () => (await askHttps(group, "/leaf-0.txt")).text).toBe(`edition ${2 * round}`);
      await expect.poll(() => trees.at(-1)).toEqual([`edition ${2 * round}`]);
    }
    done.abort();
    await reading;

    expect(trees.filter((editions) => editions.length !== 1)).toEqual([]);
  },
);

function edition(number: number): Record<string, string> {
  return Object.fromEntries(LEAVES.map((leaf) => [leaf, `edition ${number}`]));
}

/** Adds what it sees each time to `trees`. */
async function readAgainAndAgain(link: string, trees: string[][], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) trees.push(await readTree(link));
}

/** The different texts of all leaves behind the link, which is resolved once. A leaf that can't be read is a text, too. */
async function readTree(link: string): Promise<string[]> {
  const tree = await realpath(link);
  const texts = LEAVES.map((leaf) => readFile(join(tree, leaf), "utf8").catch(String));
  return [...new Set(await Promise.all(texts))];
}
