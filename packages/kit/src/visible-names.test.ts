import { mkdir, mkdtempDisposable, readFile, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { applyVisibleNames, planVisibleNames } from "./visible-names.ts";

async function target(...names: readonly string[]) {
  const temp = await mkdtempDisposable(join(tmpdir(), "pillion-visible-"));
  const generation = join(temp.path, "..1");
  await mkdir(generation);
  await Promise.all(names.map((name) => writeFile(join(generation, name), name)));
  await symlink("..1", join(temp.path, "..data"));
  const align = async () => applyVisibleNames(await planVisibleNames(join(temp.path, "..data"), generation));
  return { at: (name: string) => join(temp.path, name), align, [Symbol.asyncDispose]: () => temp.remove() };
}

test("each top-level name gets a link through the link", async () => {
  await using where = await target("app.xml", "conf d");
  await where.align();
  expect(await readlink(where.at("app.xml"))).toBe("..data/app.xml");
  expect(await readFile(where.at("conf d"), "utf8")).toBe("conf d");
});

test("a link to a name that went away is removed, everything else stays", async () => {
  await using where = await target("kept", "gone");
  await where.align();
  await rm(where.at("..1/gone"));
  await writeFile(where.at("own"), "");
  await symlink("..data/other", where.at("own link"));
  await symlink("x", Buffer.concat([Buffer.from(`${where.at("")}/`), Buffer.from([0xfc])]));
  await where.align();
  const names = (await readdir(where.at(""))).filter((name) => !name.startsWith("..") && name !== "\ufffd");
  expect(names.toSorted()).toEqual(["kept", "own", "own link"]);
});

test("names taken by what was never written here are refused together, and left alone", async () => {
  await using where = await target("a", "b", "c", "d");
  await writeFile(where.at("a"), "mine");
  await symlink("elsewhere", where.at("b"));
  await mkdir(where.at("c"));
  await expect(where.align()).rejects.toMatchObject({
    code: "GENERATION_VISIBLE_NAME_FOREIGN",
    message: `published names: taken by what was not published from here, and is left alone: ${["a", "b", "c"].map(where.at).join(", ")}. Move these away, or leave their names out of what is published`,
  });
  expect(await readFile(where.at("a"), "utf8")).toBe("mine");
  expect(await readlink(where.at("b"))).toBe("elsewhere");
  expect(await readdir(where.at(""))).not.toContain("d");
});

test("a generation with a reserved name is refused", async () => {
  await using where = await target("..data");
  await expect(where.align()).rejects.toMatchObject({ code: "GENERATION_PATH_UNSAFE" });
});
