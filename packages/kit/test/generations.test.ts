import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable, readFile, readdir, realpath, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Layout, type LayoutName, openLayout, readWholeTree, treeOf } from "./fixtures/layouts.ts";

const KILLS = 50;

describe.for<LayoutName>(["config", "git"])("%s layout", (name) => {
  test("a crash before any single step leaves the old tree or the new one, and recovery does the rest", async () => {
    let step = 1;
    let killed = true;
    for (; killed; step++) {
      await using temp = await mkdtempDisposable(join(tmpdir(), "pillion-step-"));
      const root = await newRoot(temp.path);
      const layout = openLayout(name, root);
      await layout.publish(1);
      const outcome = await ended(publisher(name, root, step));
      expect(["SIGKILL", 0]).toContain(outcome);
      killed = outcome === "SIGKILL";
      const seen = await readWholeTree(layout.link);
      expect(killed ? [1, 2] : [2]).toContain(seen);

      await layout.store.recover();
      expect(await layout.store.recover()).toEqual([]);
      await expectTidy(layout, root, seen);
      await layout.publish(3);
      await layout.store.prune({ keep: 0 });
      await layout.store.recover();
      expect(await readWholeTree(layout.link)).toBe(3);
      await expectTidy(layout, root, 3);
      expect(await layout.store.list()).toMatchObject([{ name: layout.nameOf(3), current: true }]);
    }
    expect(step, "steps that were tried").toBeGreaterThan(20);
  });

  test(`${KILLS} kills at random moments, and readers never see a torn, mixed or missing tree`, async () => {
    await using temp = await mkdtempDisposable(join(tmpdir(), "pillion-kill-"));
    const root = await newRoot(temp.path);
    const layout = openLayout(name, root);
    await layout.publish(1);

    const over = new AbortController();
    const reading = readUntil(over.signal, layout, name === "config" ? join(root, "version") : undefined);
    let published = 1;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = publisher(name, root);
      child.on("message", (number) => (published = Number(number)));
      // Some are killed while they start and recover, most while they publish.
      if (kill % 5 !== 0) await Promise.race([once(child, "message"), once(child, "exit")]);
      await wait(Math.random() * (kill % 5 === 0 ? 150 : 40));
      child.kill("SIGKILL");
      expect(await ended(child)).toBe("SIGKILL");
      expect(await readWholeTree(layout.link)).toBeGreaterThanOrEqual(published);
    }
    over.abort();
    const { trees, overtaken } = await reading;
    console.log(
      `${name}: ${KILLS} kills, ${published} generations, ${trees} trees read, ${overtaken} pruned under the reader`,
    );

    await layout.store.recover();
    await layout.publish(published + 2);
    await layout.store.recover();
    await expectTidy(layout, root, published + 2);
    expect(published).toBeGreaterThan(KILLS / 2);
    expect(trees).toBeGreaterThan(KILLS);
  });
});

async function newRoot(directory: string): Promise<string> {
  const root = join(directory, "etc app");
  await mkdir(root);
  return root;
}

function publisher(layout: LayoutName, root: string, step?: number): ChildProcess {
  const args = step === undefined ? [layout, root] : [layout, root, String(step)];
  return fork(join(import.meta.dirname, "fixtures/publisher.ts"), args, { execArgv: [] });
}

/** The signal or code that a process ended with. */
async function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode ?? child.exitCode;
}

/** Nothing is there but generations, the link and the visible names of generation `number`. */
async function expectTidy(layout: Layout, root: string, number: number): Promise<void> {
  const generations = (await layout.store.list()).map((generation) => generation.name);
  const top = (await readdir(root)).filter((name) => !generations.includes(name));
  if (layout.link.endsWith("..data")) {
    expect(top.toSorted()).toEqual(["..data", "conf d", `only-${number % 2}.txt`, "version"]);
    expect(await readFile(join(root, "version"))).toEqual(treeOf(number).get("version")?.bytes);
  } else {
    expect(top.toSorted()).toEqual([".worktrees", "sites"]);
    expect(await readdir(join(root, "sites"))).toEqual(["current"]);
    expect((await readdir(join(root, ".worktrees"))).toSorted()).toEqual(generations.toSorted());
  }
}

async function readUntil(signal: AbortSignal, layout: Layout, visible: string | undefined) {
  let trees = 0;
  let overtaken = 0;
  while (!signal.aborted) {
    // Leaves the publisher a share of a small machine.
    await wait(2);
    const directory = await realpath(layout.link);
    try {
      await readWholeTree(directory);
      trees++;
    } catch (error) {
      // Twenty generations later a slow reader may find its tree pruned: then it is gone as a whole, by name.
      if ((await stat(directory).catch(() => undefined)) !== undefined) throw error;
      overtaken++;
    }
    if (visible === undefined) continue;
    const bytes = await readFile(visible);
    expect(bytes).toEqual(treeOf(Number.parseInt(bytes.toString(), 10)).get("version")?.bytes);
  }
  return { trees, overtaken };
}
