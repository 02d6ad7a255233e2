import fs from "node:fs";
import {
  mkdir,
  mkdtempDisposable,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { Generations, type GenerationsOptions } from "./generations.ts";

/** A store of its own, with generations as somebody else makes them. */
async function open(options: Partial<GenerationsOptions> = {}) {
  const temp = await mkdtempDisposable(join(tmpdir(), "pillion generations ü "));
  const root = join(temp.path, "root");
  await mkdir(root);
  const settings = { root, directory: ".worktrees", link: "current", names: /^[a-z][0-9]$/, ...options };
  const store = new Generations(settings);
  const make = async (...names: readonly string[]) => {
    for (const name of names) {
      await mkdir(store.path(name), { recursive: true });
      await writeFile(join(store.path(name), "file"), name);
    }
  };
  const at = (...parts: string[]) => join(temp.path, ...parts);
  return { store, settings, make, at, root, [Symbol.asyncDispose]: () => temp.remove() };
}

const fill = (text: string) => (directory: string) => writeFile(join(directory, "file"), text);

describe("publish", () => {
  test("makes a relative link whose last part is the name, and returns what was there before", async () => {
    await using where = await open();
    await where.make("a1", "a2");
    expect(await where.store.publish("a1")).toBeUndefined();
    expect(await where.store.publish("a2")).toBe("a1");
    expect(await readlink(where.at("root/current"))).toBe(".worktrees/a2");
    expect(await where.store.current()).toBe("a2");
    expect(await readdir(where.root)).toEqual([".worktrees", "current"]);
  });

  test("the same one again changes nothing", async () => {
    await using where = await open();
    await where.make("a1");
    await where.store.publish("a1");
    expect(await where.store.publish("a1")).toBe("a1");
    expect(await readlink(where.at("root/current"))).toBe(".worktrees/a1");
  });

  test.for([
    ["in a sub directory that isn't there yet", "sites/live/current", "../../.worktrees/a1"],
    ["elsewhere", "/elsewhere/current", "../root/.worktrees/a1"],
    ["beside a real directory that is reached through a link", "/shortcut/current", "../../root/.worktrees/a1"],
  ])("the link may be %s", async ([, link = "", text]) => {
    await using where = await open();
    await mkdir(where.at("far/away"), { recursive: true });
    await symlink("far/away", where.at("shortcut"));
    const store = new Generations({ ...where.settings, link: link.startsWith("/") ? where.at(link) : link });
    await where.make("a1");
    await store.publish("a1");
    const path = link.startsWith("/") ? where.at(link) : where.at("root", link);
    expect(await readlink(path)).toBe(text);
    expect(await readFile(join(path, "file"), "utf8")).toBe("a1");
    expect(await store.current()).toBe("a1");
  });

  test("the root may be reached through a link", async () => {
    await using where = await open();
    await symlink("root", where.at("alias"));
    const store = new Generations({ ...where.settings, root: where.at("alias") });
    await where.make("a1");
    await store.publish("a1");
    expect(await readlink(where.at("root/current"))).toBe(".worktrees/a1");
    expect([await store.current(), await where.store.current()]).toEqual(["a1", "a1"]);
  });

  test("replaces a dangling link and a foreign one", async () => {
    await using where = await open();
    await where.make("a1");
    for (const target of [".worktrees/z9", "/etc"]) {
      await rm(where.at("root/current"), { force: true });
      await symlink(target, where.at("root/current"));
      expect(await where.store.publish("a1")).toBeUndefined();
      expect(await where.store.current()).toBe("a1");
    }
  });

  test("a directory in the link's place is left alone", async () => {
    await using where = await open();
    await where.make("a1");
    await mkdir(where.at("root/current"));
    await writeFile(where.at("root/current/mine"), "");
    await expect(where.store.publish("a1")).rejects.toMatchObject({ code: "GENERATION_LINK_OCCUPIED" });
    expect(await readdir(where.at("root/current"))).toEqual(["mine"]);
  });

  test("what isn't a directory isn't published", async () => {
    await using where = await open();
    await where.make("a1");
    await writeFile(where.store.path("a2"), "a file named like a generation");
    await symlink("a1", where.store.path("a3"));
    for (const name of ["a2", "a3", "a4"]) {
      await expect(where.store.publish(name)).rejects.toMatchObject({ code: "GENERATION_NOT_FOUND" });
    }
    expect(await where.store.link()).toEqual({ kind: "missing" });
  });

  test("after an abort readers still see the old one", async () => {
    await using where = await open();
    await where.make("a1", "a2");
    await where.store.publish("a1");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(where.store.publish("a2", { signal })).rejects.toThrow("enough");
    expect(await where.store.current()).toBe("a1");
  });

  test("everything is on the disk before the link changes, and the link's directory after it", async () => {
    await using where = await open();
    await mkdir(join(where.store.path("a1"), "sub"), { recursive: true });
    await writeFile(join(where.store.path("a1"), "sub/file"), "");
    const calls = await traced(() => where.store.publish("a1"));
    const written = calls.slice(0, -2).map((call) => call.replace(where.root, ""));
    expect(written.toSorted()).toEqual([
      "sync ",
      "sync /.worktrees",
      "sync /.worktrees/a1",
      "sync /.worktrees/a1/sub",
      "sync /.worktrees/a1/sub/file",
    ]);
    expect(calls.slice(-2)).toEqual([`rename ${where.at("root/current")}`, `sync ${where.root}`]);
  });
});

describe("stage", () => {
  test("a generation appears under its name when it is complete and on the disk", async () => {
    await using where = await open();
    const calls = await traced(() =>
      where.store.stage("a1", async (directory) => {
        await fill("one")(directory);
        expect(await where.store.list()).toEqual([]);
      }),
    );
    expect(calls.map((call) => call.replace(/staging-\w+/, "staging").replace(where.root, ""))).toEqual([
      "sync ",
      "sync /.worktrees/..pillion/staging/file",
      "sync /.worktrees/..pillion/staging",
      "rename /.worktrees/a1",
      "sync /.worktrees",
    ]);
    expect(await readFile(join(where.store.path("a1"), "file"), "utf8")).toBe("one");
    expect((await stat(where.store.path("a1"))).mode & 0o7777).toBe(0o755);
  });

  test("publishing what was staged doesn't write it again", async () => {
    await using where = await open();
    await where.store.stage("a1", fill("one"));
    expect(await traced(() => where.store.publish("a1"))).toEqual([
      `rename ${where.at("root/current")}`,
      `sync ${where.root}`,
    ]);
  });

  test("nothing is left of one whose filling fails or is aborted", async () => {
    await using where = await open();
    const failing = async () => Promise.reject(new Error("no space"));
    await expect(where.store.stage("a1", failing)).rejects.toThrow("no space");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(where.store.stage("a1", fill("x"), { signal })).rejects.toThrow("enough");
    expect(await where.store.list()).toEqual([]);
    expect(await where.store.recover()).toEqual([]);
  });

  test("one of the same name is replaced, unless readers see it", async () => {
    await using where = await open();
    await where.make("a1");
    await where.store.stage("a1", fill("new"));
    expect(await readFile(join(where.store.path("a1"), "file"), "utf8")).toBe("new");
    await where.store.publish("a1");
    await expect(where.store.stage("a1", fill("newer"))).rejects.toMatchObject({ code: "GENERATION_IN_USE" });
    expect(await readFile(where.at("root/current/file"), "utf8")).toBe("new");
  });
});

describe("names", () => {
  test.for(["", ".", "..", "../x", "a1/..", "A1", "current", "..pillion"])("%j is refused", async (name) => {
    await using where = await open({ names: /^(?!A)/, directory: "." });
    const refused = { code: "GENERATION_NAME_INVALID" };
    expect(() => where.store.path(name)).toThrow(expect.objectContaining(refused));
    await expect(where.store.publish(name)).rejects.toMatchObject(refused);
    await expect(where.store.stage(name, fill("x"))).rejects.toMatchObject(refused);
    await expect(where.store.remove(name)).rejects.toMatchObject(refused);
  });
});

test("where the link leads is told apart", async () => {
  await using where = await open();
  await where.make("a1");
  const link = where.at("root/current");
  const states: unknown[] = [await where.store.link()];
  for (const target of [".worktrees/a1", ".worktrees/a2", ".worktrees", ".worktrees/a1/file", where.at("")]) {
    await symlink(target, link);
    states.push(await where.store.link());
    await rm(link);
  }
  await writeFile(link, "");
  states.push(await where.store.link());
  expect(states).toEqual([
    { kind: "missing" },
    { kind: "current", name: "a1" },
    { kind: "dangling", target: ".worktrees/a2" },
    { kind: "foreign", target: ".worktrees" },
    { kind: "foreign", target: ".worktrees/a1/file" },
    { kind: "foreign", target: where.at("") },
    { kind: "occupied", by: "file" },
  ]);
});

describe("list and prune", () => {
  test("the newest comes first, and going back to an old one makes it the newest", async () => {
    await using where = await open();
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
    await using where = await open();
    expect(await where.store.list()).toEqual([]);
    expect(await where.store.prune({ keep: 0 })).toEqual([]);
    expect(await new Generations({ ...where.settings, root: where.at("nowhere") }).recover()).toEqual([]);
  });

  test("the current one and the newest others stay", async () => {
    await using where = await open();
    await where.make("a1", "a2", "a3", "a4");
    for (const name of ["a1", "a2", "a3", "a4", "a1"]) await where.store.publish(name);
    expect(await where.store.prune({ keep: 1 })).toEqual(["a3", "a2"]);
    expect((await readdir(where.at("root/.worktrees"))).toSorted()).toEqual(["..pillion", "a1", "a4"]);
    expect(await readdir(where.at("root/.worktrees/..pillion"))).toEqual([]);
  });

  test("one that was replaced just now stays as long as was asked for", async () => {
    await using where = await open();
    await where.make("a1", "a2", "a3");
    for (const name of ["a1", "a2"]) await where.store.publish(name);
    const since = (await where.store.list()).find(({ name }) => name === "a1")?.since ?? 0;
    await where.store.publish("a3");
    expect(await where.store.prune({ keep: 0, unusedSince: since })).toEqual([]);
    expect(await where.store.prune({ keep: 0, unusedSince: since + 0.001 })).toEqual(["a1"]);
    expect(await where.store.prune({ keep: 0 })).toEqual(["a2"]);
  });

  test("what the link leads through stays, and what doesn't look like a generation", async () => {
    await using where = await open();
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
    await using where = await open();
    await where.make("a1");
    await writeFile(Buffer.concat([Buffer.from(`${where.store.path("a1")}/`), Buffer.from([0xfc])]), "");
    await where.store.remove("a1");
    expect(await where.store.list()).toEqual([]);
    expect(await where.store.recover()).toEqual([]);
  });

  test("a file that is named like a generation can be removed by name", async () => {
    await using where = await open();
    await where.make("a1");
    await writeFile(where.store.path("b1"), "");
    await where.store.remove("b1");
    await where.store.remove("b2");
    expect((await readdir(where.at("root/.worktrees"))).toSorted()).toEqual(["..pillion", "a1"]);
  });
});

describe("recover", () => {
  test("removes what a crash left and nothing else, and says what", async () => {
    await using where = await open();
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
    await using where = await open();
    const odd = where.at("root/.worktrees/..pillion/trash/x");
    await mkdir(odd, { recursive: true });
    await symlink(odd, where.at("root/current"));
    expect(await where.store.recover()).toEqual([]);
    expect(await where.store.link()).toMatchObject({ kind: "foreign" });
  });

  test("a working place that was not made here is left alone", async () => {
    await using where = await open();
    await where.make("a1");
    await writeFile(where.at("root/.worktrees/..pillion"), "mine");
    await expect(where.store.recover()).rejects.toMatchObject({ code: "GENERATION_PLACE_OCCUPIED" });
    expect(await readFile(where.at("root/.worktrees/..pillion"), "utf8")).toBe("mine");
  });
});

describe("visible names", () => {
  const layout = { directory: ".", link: "..data", names: /^\.\.\d+$/, visibleNames: true };

  test("follow what is published", async () => {
    await using where = await open(layout);
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
    await using where = await open(layout);
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
    await using where = await open(layout);
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

/** The calls that decide what survives a power cut, in their order: fsync with its path, rename with its destination. */
async function traced(run: () => Promise<unknown>): Promise<string[]> {
  const calls: string[] = [];
  const { promises } = fs;
  const realOpen = promises.open;
  const realRename = promises.rename;
  vi.spyOn(promises, "open").mockImplementation(async (path, ...rest) => {
    const handle = await realOpen(path, ...rest);
    const realSync = handle.sync.bind(handle);
    handle.sync = async () => {
      calls.push(`sync ${String(path)}`);
      await realSync();
    };
    return handle;
  });
  vi.spyOn(promises, "rename").mockImplementation(async (from, to) => {
    calls.push(`rename ${String(to)}`);
    await realRename(from, to);
  });
  syncBuiltinESMExports();
  try {
    await run();
  } finally {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  }
  return calls;
}
