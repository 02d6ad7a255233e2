import { chmod, access, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { spawnScript } from "@pillion/kit/testing";
import { expect, test } from "vitest";
import { Upstream, git, scratch } from "./upstream.ts";

const command = new URL("../bin/repo-updater.js", import.meta.url).pathname;
const hooks = [
  "post-checkout",
  "reference-transaction",
  "post-index-change",
  "pre-auto-gc",
  "post-merge",
  "fsmonitor-watchman",
];

/** A root with one commit published, and a script that leaves a trace when anybody runs it. */
async function trap(env: Record<string, string> = {}) {
  const directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  const root = join(directory.path, "root");
  const trace = join(directory.path, "trace");
  const script = join(directory.path, "script");
  await writeFile(script, `#!/bin/sh\necho "$0 $*" >> ${trace}\ncat 2>/dev/null\n`);
  await chmod(script, 0o755);
  const sync = async (...flags: readonly string[]) => {
    const fixed = ["--repo", upstream.path, "--root", root, "--once", "--admin-listen=127.0.0.1:0"];
    await using updater = spawnScript(command, [...fixed, ...flags], env);
    expect(await updater.exited, updater.output()).toBe(0);
  };
  await sync();
  const expectUntouched = () => expect(readFile(trace, "utf8")).rejects.toMatchObject({ code: "ENOENT" });
  return {
    directory: directory.path,
    upstream,
    root,
    script,
    sync,
    expectUntouched,
    [Symbol.asyncDispose]: directory[Symbol.asyncDispose],
  };
}

async function plant(directory: string, script: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of hooks) {
    await writeFile(join(directory, name), `#!/bin/sh\nexec ${script} ${name}\n`);
    await chmod(join(directory, name), 0o755);
  }
}

test("hooks in the local repository never run", async () => {
  await using place = await trap();
  await plant(join(place.root, ".git", "hooks"), place.script);
  const hash = await place.upstream.push({ a: "2" });
  await place.sync();
  await place.expectUntouched();
  // Git by itself does run them: the trap works.
  await git(join(place.root, ".git"), "worktree", "add", "--detach", join(place.directory, "control"), hash);
  await expect(place.expectUntouched()).rejects.toThrow(/hook|script|promise resolved/i);
});

test("what somebody wrote into the local repository's configuration has no effect", async () => {
  await using place = await trap();
  await plant(join(place.directory, "hooks"), place.script);
  const settings = [
    `[core]\n\tfsmonitor = ${place.script}\n\thooksPath = ${join(place.directory, "hooks")}\n\tsshCommand = ${place.script}`,
    `[filter "evil"]\n\tsmudge = ${place.script}\n\tclean = ${place.script}\n\tprocess = ${place.script}`,
    `[credential]\n\thelper = ${place.script}`,
    `[url "ext::${place.script}"]\n\tinsteadOf = ${place.upstream.path}`,
  ];
  await writeFile(join(place.root, ".git", "config"), `${settings.join("\n")}\n`);
  await place.upstream.push({ a: "2", ".gitattributes": "* filter=evil diff=evil merge=evil\n" });
  await place.sync();
  await place.expectUntouched();
  expect(await readFile(join(place.root, "content", "a"), "utf8")).toBe("2");
});

test("the process's own environment doesn't reach git", async () => {
  await using directory = await scratch();
  const home = join(directory.path, "home");
  await plant(join(home, "hooks"), join(home, "script"));
  await writeFile(join(home, "script"), `#!/bin/sh\ntouch ${join(home, "ran")}\n`);
  await chmod(join(home, "script"), 0o755);
  await writeFile(
    join(home, ".gitconfig"),
    `[core]\n\thooksPath = ${join(home, "hooks")}\n\tfsmonitor = ${join(home, "script")}\n`,
  );
  const variables = {
    HOME: home,
    XDG_CONFIG_HOME: home,
    GIT_DIR: "/nonexistent",
    GIT_WORK_TREE: "/nonexistent",
    GIT_INDEX_FILE: "/nonexistent",
    GIT_OBJECT_DIRECTORY: "/nonexistent",
    GIT_EXTERNAL_DIFF: join(home, "script"),
    GIT_ASKPASS: join(home, "script"),
    GIT_CONFIG_PARAMETERS: `'core.fsmonitor=${join(home, "script")}'`,
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.fsmonitor",
    GIT_CONFIG_VALUE_0: join(home, "script"),
  };
  await using place = await trap(variables);
  await place.upstream.push({ a: "2" });
  await place.sync();
  expect(await readFile(join(place.root, "content", "a"), "utf8")).toBe("2");
  await expect(access(join(home, "ran"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("submodules are not fetched, and their commands not run", async () => {
  await using place = await trap();
  const inner = await Upstream.create(place.directory, "inner");
  await inner.push({ b: "1" });
  await git(place.upstream.clone, "submodule", "--quiet", "add", inner.path, "inner");
  const text = `[submodule "inner"]\n\tpath = inner\n\turl = ext::${place.script}\n\tupdate = !${place.script}\n`;
  await place.upstream.push({ ".gitmodules": text });
  await place.sync();
  await place.expectUntouched();
  expect(await readdir(join(place.root, "content", "inner"))).toEqual([]);
});
