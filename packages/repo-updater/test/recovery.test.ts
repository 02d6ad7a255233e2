import { access, mkdir, readFile, readdir, readlink, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startSidecar } from "@pillion/kit/testing";
import { expect, test, vi } from "vitest";
import { repoUpdater } from "../src/index.ts";
import { Upstream, git, manyFiles, scratch, textsThrough } from "./upstream.ts";

const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

/** A root as a first run left it, with one commit published. */
async function prepared() {
  const directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const first = await upstream.push(manyFiles("1"));
  const root = join(directory.path, "root");
  const place = {
    upstream,
    first,
    root,
    link: join(root, "content"),
    repository: join(root, ".git"),
    tree: join(root, ".worktrees", first),
    directory: directory.path,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
  await once(place);
  return place;
}

/** One run to its end; resolves with what it logged. */
async function once(
  { upstream, root }: { upstream: Upstream; root: string },
  options: Partial<Parameters<typeof repoUpdater>[0]> = {},
) {
  const sidecar = await startSidecar(
    repoUpdater({ repo: upstream.path, root, once: true, period: "20ms", ...options }),
  );
  await until(async () =>
    expect(await sidecar.get("/readyz")).toMatchObject({ status: 200, text: expect.stringMatching(/^ready/) }),
  );
  await until(async () => {
    const { text } = await sidecar.get("/metrics");
    expect(text).toMatch(/syncs_total\{outcome="(?:updated|unchanged)"\} 1/);
    expect(text).toMatch(/sync_duration_seconds_count 1/); // the house-keeping is done as well
  });
  await sidecar.stop();
  return sidecar.log;
}

async function expectWhole({ link, tree, repository }: { link: string; tree: string; repository: string }, text = "1") {
  expect(await textsThrough(link)).toEqual([text, "files: 40"]);
  expect(await readlink(link)).toBe(join(".worktrees", tree.split("/").at(-1) ?? ""));
  expect(await git(link, "status", "--porcelain")).toBe("");
  expect(await git(repository, "fsck", "--no-dangling")).toBe("");
}

test("locks of a killed git are removed", async () => {
  await using place = await prepared();
  const locks = [
    "index.lock",
    "shallow.lock",
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    "gc.pid",
    "refs/repo-updater/head.lock",
  ];
  for (const name of locks) await writeFile(join(place.repository, name), "");
  await writeFile(join(place.repository, "worktrees", place.first, "index.lock"), "");
  await writeFile(join(place.repository, "objects", "pack", "tmp_pack_aB3dE9"), "half");
  const second = await place.upstream.push(manyFiles("2"));
  await once(place);
  await expectWhole({ ...place, tree: second }, "2");
  const left = await readdir(place.repository, { recursive: true });
  expect(left.filter((name) => /\.lock$|gc\.pid|tmp_/.test(name))).toEqual([]);
});

test("a worktree half made, and locked by the git that made it, is made again", async () => {
  await using place = await prepared();
  const second = await place.upstream.push(manyFiles("2"));
  const half = join(place.root, ".worktrees", second);
  const registered = join(place.repository, "worktrees", second);
  await mkdir(join(half, "part-0"), { recursive: true });
  await mkdir(registered);
  await writeFile(join(half, "part-0", "file-0"), "to");
  await writeFile(join(half, ".git"), `gitdir: ${registered}\n`);
  await writeFile(join(registered, "gitdir"), `${half}/.git\n`);
  await writeFile(join(registered, "commondir"), "../..\n");
  await writeFile(join(registered, "HEAD"), `${second}\n`);
  await writeFile(join(registered, "locked"), "initializing\n");
  await once(place);
  await expectWhole({ ...place, tree: second }, "2");
  expect(await readdir(join(place.repository, "worktrees"))).toHaveLength(1);
});

test("a file with a commit's name is replaced by its worktree", async () => {
  await using place = await prepared();
  const second = await place.upstream.push(manyFiles("2"));
  await writeFile(join(place.root, ".worktrees", second), "I am a file");
  await once(place);
  await expectWhole({ ...place, tree: second }, "2");
});

test.for([
  ["is missing", (link: string) => unlink(link)],
  ["dangles", (link: string) => unlink(link).then(() => symlink(".worktrees/0000", link))],
  ["leads elsewhere", (link: string) => unlink(link).then(() => symlink("/", link))],
  [
    "leads through its tree",
    (link: string) => readlink(link).then((to) => unlink(link).then(() => symlink(`${to}/part-0`, link))),
  ],
] as const)("a link that %s is put right", async ([, spoil]) => {
  await using place = await prepared();
  await spoil(place.link);
  await once(place);
  await expectWhole(place);
});

test.for([
  ["a file was changed", (tree: string) => writeFile(join(tree, "part-1/file-1"), "changed!")],
  ["a file is missing", (tree: string) => unlink(join(tree, "part-1/file-1"))],
  ["the index is missing", (_tree: string, registered: string) => unlink(join(registered, "index"))],
  ["git forgot it", (_tree: string, registered: string) => rm(registered, { recursive: true })],
  ["its link to the repository is missing", (tree: string) => unlink(join(tree, ".git"))],
  ["it is gone", (tree: string) => rm(tree, { recursive: true })],
  ["it is a file", (tree: string) => rm(tree, { recursive: true }).then(() => writeFile(tree, ""))],
] as const)("the published tree is made again where %s", async ([, spoil]) => {
  await using place = await prepared();
  await spoil(place.tree, join(place.repository, "worktrees", place.first));
  await once(place);
  await expectWhole(place);
  expect((await readdir(join(place.root, ".worktrees"))).filter((name) => !name.startsWith("."))).toEqual([
    place.first,
  ]);
  expect(await readdir(join(place.repository, "worktrees"))).toHaveLength(1);
});

test("while the published tree is made again readers always find a tree", async () => {
  await using place = await prepared();
  await unlink(join(place.repository, "worktrees", place.first, "index"));
  const over = new AbortController();
  let missing = 0;
  let reads = 0;
  const reader = (async () => {
    while (!over.signal.aborted) {
      reads++;
      await access(join(place.link, "part-3")).catch(() => missing++);
    }
  })();
  await once(place);
  over.abort();
  await reader;
  expect(reads).toBeGreaterThan(100);
  expect(missing).toBe(0);
  await expectWhole(place);
});

const objectsOf = async (repository: string) => {
  const entries = await readdir(join(repository, "objects"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

test.for([
  [
    "objects are empty, as after a power cut",
    async (repository: string) => {
      for (const path of await objectsOf(repository)) {
        await unlink(path);
        await writeFile(path, "");
      }
    },
  ],
  [
    "objects are gone",
    async (repository: string) => {
      for (const path of await objectsOf(repository)) await unlink(path);
    },
  ],
  ["HEAD is garbage", (repository: string) => writeFile(join(repository, "HEAD"), "garbage\n")],
  ["refs are gone", (repository: string) => rm(join(repository, "refs"), { recursive: true })],
  ["the configuration is garbage", (repository: string) => writeFile(join(repository, "config"), "[garbage")],
  [
    "the list of shallow commits is garbage",
    (repository: string) => writeFile(join(repository, "shallow"), "garbage\n"),
  ],
  [
    "the kept ref is garbage",
    (repository: string) => writeFile(join(repository, "refs/repo-updater/head"), "garbage\n"),
  ],
] as const)("a repository where %s is fetched anew, with the old tree in force until then", async ([, spoil]) => {
  await using place = await prepared();
  await spoil(place.repository);
  const second = await place.upstream.push(manyFiles("2"));
  await once(place);
  await expectWhole({ ...place, tree: second }, "2");
});

test("a damaged repository whose commit is published already is fetched anew as well", async () => {
  await using place = await prepared();
  for (const path of await objectsOf(place.repository)) await unlink(path);
  await once(place);
  await expectWhole(place);
});

test("a repository that was never completed is made anew", async () => {
  await using place = await prepared();
  await rename(place.repository, `${place.repository}.making`);
  await once(place);
  await expectWhole(place);
  expect(await readdir(place.root)).not.toContain(".git.making");
});

test("another repository or ref replaces what is there", async () => {
  await using place = await prepared();
  const other = await Upstream.create(place.directory, "other");
  const hash = await other.push(manyFiles("other"));
  await once({ upstream: other, root: place.root }, { link: "content" });
  await expectWhole({ ...place, tree: hash }, "other");
  await git(other.clone, "checkout", "--quiet", "-b", "next");
  const next = await other.push(manyFiles("next"));
  await once({ upstream: other, root: place.root }, { link: "content", ref: "next" });
  await expectWhole({ ...place, tree: next }, "next");
});

test("a root inside another repository leaves that alone", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const first = await upstream.push(manyFiles("1"));
  const head = await git(upstream.clone, "rev-parse", "HEAD");
  const root = join(upstream.clone, "vendor");
  await once({ upstream, root });
  await expectWhole({ link: join(root, "content"), tree: first, repository: join(root, ".git") });
  expect(await git(upstream.clone, "rev-parse", "HEAD")).toBe(head);
  expect(await git(upstream.clone, "worktree", "list")).not.toContain("vendor");
});

test("after a restart with the server away what is published stays in force: degraded, not down", async () => {
  await using place = await prepared();
  await rename(place.upstream.path, `${place.upstream.path}.away`);
  await using sidecar = await startSidecar(
    repoUpdater({ repo: place.upstream.path, root: place.root, period: "20ms" }),
  );
  await until(async () => {
    const { status, text } = await sidecar.get("/readyz");
    expect({ status, text }).toMatchObject({
      status: 200,
      text: expect.stringMatching(/^degraded: .*no git repository/),
    });
  });
  expect((await sidecar.get("/metrics")).text).toContain(`repo_updater_info{hash="${place.first}"} 1`);
  await expectWhole(place);
});

test("after a restart for another ref with the server away nothing counts as published", async () => {
  await using place = await prepared();
  await rename(place.upstream.path, `${place.upstream.path}.away`);
  await using sidecar = await startSidecar(
    repoUpdater({ repo: place.upstream.path, root: place.root, ref: "next", period: "20ms" }),
  );
  await until(async () => expect((await sidecar.get("/readyz")).text).toMatch(/^starting: .*no git repository/));
  expect((await sidecar.get("/readyz")).status).toBe(503);
  await expectWhole(place);
});

test("trouble during the run is over when its cause is", async () => {
  await using place = await prepared();
  await using sidecar = await startSidecar(
    repoUpdater({ repo: place.upstream.path, root: place.root, period: "20ms" }),
  );
  await until(async () => expect((await sidecar.get("/readyz")).text).toMatch(/^ready/));
  await writeFile(join(place.repository, "shallow.lock"), "");
  const second = await place.upstream.push(manyFiles("2"));
  await until(async () => expect(await readFile(join(place.link, "part-0/file-0"), "utf8")).toBe("2"));
  await until(async () => expect((await sidecar.get("/readyz")).text).toMatch(/^ready/));
  await expectWhole({ ...place, tree: second }, "2");
});
