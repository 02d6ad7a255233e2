import { mkdir, readFile, readdir, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fill, openStore, traced } from "../test/fixtures/store.ts";
import { Generations } from "./generations.ts";

describe("publish", () => {
  test("makes a relative link whose last part is the name, and returns what was there before", async () => {
    await using where = await openStore();
    await where.make("a1", "a2");
    expect(await where.store.publish("a1")).toBeUndefined();
    expect(await where.store.publish("a2")).toBe("a1");
    expect(await readlink(where.at("root/current"))).toBe(".worktrees/a2");
    expect(await where.store.current()).toBe("a2");
    expect(await readdir(where.root)).toEqual([".worktrees", "current"]);
  });

  test("the same one again changes nothing", async () => {
    await using where = await openStore();
    await where.make("a1");
    await where.store.publish("a1");
    expect(await where.store.publish("a1")).toBe("a1");
    expect(await readlink(where.at("root/current"))).toBe(".worktrees/a1");
  });

  test("what a crash left of the last swap is no obstacle", async () => {
    await using where = await openStore();
    await where.make("a1");
    await symlink(".worktrees/a2", where.at("root/.current.swap"));
    await where.store.publish("a1");
    expect(await readdir(where.root)).toEqual([".worktrees", "current"]);
  });

  test.for([
    ["in a sub directory that isn't there yet", "sites/live/current", "../../.worktrees/a1"],
    ["elsewhere", "/elsewhere/current", "../root/.worktrees/a1"],
    ["beside a real directory that is reached through a link", "/shortcut/current", "../../root/.worktrees/a1"],
  ])("the link may be %s", async ([, link = "", text]) => {
    await using where = await openStore();
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
    await using where = await openStore();
    await symlink("root", where.at("alias"));
    const store = new Generations({ ...where.settings, root: where.at("alias") });
    await where.make("a1");
    await store.publish("a1");
    expect(await readlink(where.at("root/current"))).toBe(".worktrees/a1");
    expect([await store.current(), await where.store.current()]).toEqual(["a1", "a1"]);
  });

  test("replaces a dangling link and a foreign one", async () => {
    await using where = await openStore();
    await where.make("a1");
    for (const target of [".worktrees/z9", "/etc"]) {
      await rm(where.at("root/current"), { force: true });
      await symlink(target, where.at("root/current"));
      expect(await where.store.publish("a1")).toBeUndefined();
      expect(await where.store.current()).toBe("a1");
    }
  });

  test("a directory in the link's place is left alone", async () => {
    await using where = await openStore();
    await where.make("a1");
    await mkdir(where.at("root/current"));
    await writeFile(where.at("root/current/mine"), "");
    await expect(where.store.publish("a1")).rejects.toMatchObject({ code: "GENERATION_LINK_OCCUPIED" });
    expect(await readdir(where.at("root/current"))).toEqual(["mine"]);
  });

  test("what isn't a directory isn't published", async () => {
    await using where = await openStore();
    await where.make("a1");
    await writeFile(where.store.path("a2"), "a file named like a generation");
    await symlink("a1", where.store.path("a3"));
    for (const name of ["a2", "a3", "a4"]) {
      await expect(where.store.publish(name)).rejects.toMatchObject({ code: "GENERATION_NOT_FOUND" });
    }
    expect(await where.store.link()).toEqual({ kind: "missing" });
  });

  test("after an abort readers still see the old one", async () => {
    await using where = await openStore();
    await where.make("a1", "a2");
    await where.store.publish("a1");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(where.store.publish("a2", { signal })).rejects.toThrow("enough");
    expect(await where.store.current()).toBe("a1");
  });

  test("everything is on the disk before the link changes, and the link's directory after it", async () => {
    await using where = await openStore();
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
    await using where = await openStore();
    const calls = await traced(() =>
      where.store.stage("a1", async (directory) => {
        await fill("one")(directory);
        expect(await where.store.list()).toEqual([]);
        expect((await stat(where.at("root/.worktrees/..pillion"))).mode & 0o7777, "closed to readers").toBe(0o700);
      }),
    );
    const seen = calls.map((call) => call.replace(/staging-\w+/, "staging").replace(where.root, ""));
    expect(seen.slice(0, -2).toSorted(), "in any order").toEqual([
      "sync ",
      "sync /.worktrees/..pillion/staging",
      "sync /.worktrees/..pillion/staging/file",
    ]);
    expect(seen.slice(-2)).toEqual(["rename /.worktrees/a1", "sync /.worktrees"]);
    expect(await readFile(join(where.store.path("a1"), "file"), "utf8")).toBe("one");
    expect((await stat(where.store.path("a1"))).mode & 0o7777).toBe(0o755);
  });

  test("publishing what was staged doesn't write it again", async () => {
    await using where = await openStore();
    await where.store.stage("a1", fill("one"));
    expect(await traced(() => where.store.publish("a1"))).toEqual([
      `rename ${where.at("root/current")}`,
      `sync ${where.root}`,
    ]);
  });

  test("one that was removed and made by somebody else is written like any other", async () => {
    await using where = await openStore();
    await where.store.stage("a1", fill("one"));
    await where.store.remove("a1");
    await where.make("a1");
    const calls = await traced(() => where.store.publish("a1"));
    expect(calls).toContain(`sync ${join(where.store.path("a1"), "file")}`);
  });

  test("nothing is left of one whose filling fails or is aborted", async () => {
    await using where = await openStore();
    const failing = async () => Promise.reject(new Error("no space"));
    await expect(where.store.stage("a1", failing)).rejects.toThrow("no space");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(where.store.stage("a1", fill("x"), { signal })).rejects.toThrow("enough");
    expect(await where.store.list()).toEqual([]);
    expect(await where.store.recover()).toEqual([]);
  });

  test("one of the same name is replaced, unless readers see it", async () => {
    await using where = await openStore();
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
    await using where = await openStore({ names: /^(?!A)/, directory: "." });
    const refused = { code: "GENERATION_NAME_INVALID" };
    expect(() => where.store.path(name)).toThrow(expect.objectContaining(refused));
    await expect(where.store.publish(name)).rejects.toMatchObject(refused);
    await expect(where.store.stage(name, fill("x"))).rejects.toMatchObject(refused);
    await expect(where.store.remove(name)).rejects.toMatchObject(refused);
  });
});

test("where the link leads is told apart", async () => {
  await using where = await openStore();
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
