import { mkdir, readFile, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fill, openStore, traced } from "../test/fixtures/store.ts";
import { Generations } from "./generations.ts";

describe("list and prune", () => {
  test("the newest comes first, and going back to an old one makes it the newest", async () => {
    await using where = await openStore();
    await where.make("a1", "a2", "a3");
    for (const name of ["a1", "a2", "a3", "a1"]) await where.store.publish(name);
    const listed = await where.store.list();
    expect(listed).toMatchObject([
      { name: "a1", current: true },
      { name: "a3", current: false },
      { name: "a2", current: false },
    ]);
  });

  test("an empty or missing root has no generations", async () => {
    await using where = await openStore();
    expect(await where.store.list()).toEqual([]);
    expect(await where.store.prune({ keep: 0 })).toEqual([]);
    expect(await new Generations({ ...where.settings, root: where.at("nowhere") }).recover()).toEqual([]);
  });

  test("the current one and the newest others stay", async () => {
    await using where = await openStore();
    await where.make("a1", "a2", "a3", "a4");
    for (const name of ["a1", "a2", "a3", "a4", "a1"]) await where.store.publish(name);
    expect(await where.store.prune({ keep: 1 })).toEqual(["a3", "a2"]);
    expect((await readdir(where.at("root/.worktrees"))).toSorted()).toEqual(["..pillion", "a1", "a4"]);
    expect(await readdir(where.at("root/.worktrees/..pillion"))).toEqual([]);
  });

  test("a tree leaves its name in one step before it is removed", async () => {
    await using where = await openStore();
    await where.make("a1");
    await where.store.recover();
    const calls = await traced(() => where.store.prune({ keep: 0 }));
    const work = where.at("root/.worktrees/..pillion");
    expect(
      calls.filter((call) => !call.startsWith("sync")).map((call) => call.replace(/[-0-9a-f]{36}$/, "id")),
    ).toEqual([`rename ${work}/trash/id`, `remove ${work}/trash`]);
  });

  test("one that was replaced just now stays as long as was asked for", async () => {
    await using where = await openStore();
    await where.make("a1", "a2", "a3");
    for (const name of ["a1", "a2"]) await where.store.publish(name);
    const since = (await where.store.list()).find(({ name }) => name === "a1")?.since ?? 0;
    await where.store.publish("a3");
    expect(await where.store.prune({ keep: 0, unusedSince: since })).toEqual([]);
    expect(await where.store.prune({ keep: 0, unusedSince: since + 0.001 })).toEqual(["a1"]);
    expect(await where.store.prune({ keep: 0 })).toEqual(["a2"]);
  });

  test("what the link leads through stays, and what doesn't look like a generation", async () => {
    await using where = await openStore();
    await where.make("a1", "a2");
    await mkdir(where.at("root/.worktrees/own"));
    await writeFile(where.at("root/.worktrees/b1"), "");
    await mkdir(join(where.store.path("a1"), "sub"));
    await symlink(".worktrees/a1/sub", where.at("root/current"));
    expect(await where.store.prune({ keep: 0 })).toEqual(["a2"]);
    expect((await readdir(where.at("root/.worktrees"))).toSorted()).toEqual(["..pillion", "a1", "b1", "own"]);
    await expect(where.store.remove("a1")).rejects.toMatchObject({ code: "GENERATION_IN_USE" });
  });

  test("a name that isn't UTF-8 is no obstacle to removal", async () => {
    await using where = await openStore();
    await where.make("a1");
    await writeFile(Buffer.concat([Buffer.from(`${where.store.path("a1")}/`), Buffer.from([0xfc])]), "");
    await where.store.remove("a1");
    expect(await where.store.list()).toEqual([]);
    expect(await where.store.recover()).toEqual([]);
  });

  test("a file that is named like a generation can be removed by name", async () => {
    await using where = await openStore();
    await where.make("a1");
    await writeFile(where.store.path("b1"), "");
    await where.store.remove("b1");
    await where.store.remove("b2");
    expect((await readdir(where.at("root/.worktrees"))).toSorted()).toEqual(["..pillion", "a1"]);
  });
});

describe("recover", () => {
  test("removes what a crash left and nothing else, and says what", async () => {
    await using where = await openStore();
    await where.make("a1", "a2");
    await where.store.publish("a1");
    await mkdir(where.at("root/.worktrees/..pillion/staging-x"), { recursive: true });
    await symlink(".worktrees/a2", where.at("root/.current.swap"));
    await writeFile(where.at("root/own"), "");
    expect(await where.store.recover()).toEqual([
      where.at("root/.current.swap"),
      where.at("root/.worktrees/..pillion/staging-x"),
    ]);
    expect(await where.store.recover()).toEqual([]);
    expect(await readdir(where.root)).toEqual([".worktrees", "current", "own"]);
    expect(await readdir(where.at("root/.worktrees"))).toEqual(["a1", "a2"]);
  });

  test("never removes what the link leads to", async () => {
    await using where = await openStore();
    const odd = where.at("root/.worktrees/..pillion/trash/x");
    await mkdir(odd, { recursive: true });
    await symlink(odd, where.at("root/current"));
    expect(await where.store.recover()).toEqual([]);
    expect(await where.store.link()).toMatchObject({ kind: "foreign" });
  });

  test("a working place that was not made here is left alone", async () => {
    await using where = await openStore();
    await where.make("a1");
    await writeFile(where.at("root/.worktrees/..pillion"), "mine");
    await expect(where.store.recover()).rejects.toMatchObject({ code: "GENERATION_PLACE_OCCUPIED" });
    expect(await readFile(where.at("root/.worktrees/..pillion"), "utf8")).toBe("mine");
  });
});

describe("visible names", () => {
  const layout = { directory: ".", link: "..data", names: /^\.\.\d+$/, visibleNames: true };

  test("follow what is published", async () => {
    await using where = await openStore(layout);
    const stage = (name: string, ...files: readonly string[]) =>
      where.store.stage(name, async (directory) => {
        for (const file of files) await writeFile(join(directory, file), name);
      });
    await stage("..1", "app.xml", "old.xml");
    await where.store.publish("..1");
    await stage("..2", "app.xml", "new.xml");
    await where.store.publish("..2");
    expect((await readdir(where.root)).toSorted()).toEqual(["..1", "..2", "..data", "..pillion", "app.xml", "new.xml"]);
    expect(await readlink(where.at("root/..data"))).toBe("..2");
    expect(await readlink(where.at("root/app.xml"))).toBe("..data/app.xml");
    expect(await readFile(where.at("root/app.xml"), "utf8")).toBe("..2");
  });

  test("a name that is taken keeps the old generation in force", async () => {
    await using where = await openStore(layout);
    await where.store.stage("..1", fill("one"));
    await where.store.publish("..1");
    await where.store.stage("..2", async (directory) => {
      await fill("two")(directory);
      await writeFile(join(directory, "taken"), "ours");
    });
    await writeFile(where.at("root/taken"), "mine");
    await expect(where.store.publish("..2")).rejects.toMatchObject({ code: "GENERATION_VISIBLE_NAME_FOREIGN" });
    expect(await readFile(where.at("root/file"), "utf8")).toBe("one");
    await rename(where.at("root/taken"), where.at("root/mine"));
    await where.store.publish("..2");
    expect(await readFile(where.at("root/taken"), "utf8")).toBe("ours");
  });

  test("are finished by recover(), and left alone when there is nothing to follow", async () => {
    await using where = await openStore(layout);
    await where.store.stage("..1", fill("one"));
    await where.store.publish("..1");
    await rm(where.at("root/file"));
    await symlink("..data/gone", where.at("root/gone"));
    await where.store.recover();
    expect((await readdir(where.root)).toSorted()).toEqual(["..1", "..data", "file"]);
    await rm(where.at("root/..data"));
    await where.store.recover();
    expect((await readdir(where.root)).toSorted()).toEqual(["..1", "file"]);
  });
});
