import { execFileSync } from "node:child_process";
import { readFile, readdir, readlink, realpath, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startSidecar } from "@pillion/kit/testing";
import { expect, test, vi } from "vitest";
import { repoUpdater } from "../src/index.ts";
import { Upstream, git, manyFiles, scratch, textsThrough } from "./upstream.ts";

const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

async function following(directory: string, options: Partial<Parameters<typeof repoUpdater>[0]> & { repo: string }) {
  const root = join(directory, "root");
  const sidecar = await startSidecar(repoUpdater({ root, period: "20ms", ...options }));
  const commit = async () => (await readlink(join(root, "content"))).split("/").at(-1);
  const metric = async (name: string) => {
    const { text } = await sidecar.get("/metrics");
    return Number(new RegExp(`^repo_updater_${name.replace(/[{}]/g, "\\$&")} (\\S+)$`, "m").exec(text)?.[1]);
  };
  return {
    root,
    link: join(root, "content"),
    sidecar,
    metric,
    shows: (hash: string) => until(async () => expect(await commit()).toBe(hash)),
    probe: () => sidecar.get("/readyz"),
    [Symbol.asyncDispose]: async () => void (await sidecar.stop()),
  };
}

test("what is pushed becomes visible, as a worktree that git can use", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const first = await upstream.push({ "index.html": "one" });
  await using updater = await following(directory.path, { repo: upstream.path });
  await updater.shows(first);
  expect(await readlink(updater.link)).toBe(`.worktrees/${first}`);
  const second = await upstream.push({ "index.html": "two", "docs/page.html": "more" });
  await updater.shows(second);
  expect(await readFile(join(updater.link, "index.html"), "utf8")).toBe("two");
  expect(await git(updater.link, "rev-parse", "HEAD")).toBe(second);
  expect(await git(updater.link, "status", "--porcelain")).toBe("");
  await until(async () => expect(await readdir(join(updater.root, ".worktrees"))).not.toContain(first));
});

test("probe and metrics follow what happens", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const hash = await upstream.push({ a: "1" });
  await using updater = await following(directory.path, { repo: upstream.path });
  await until(async () =>
    expect(await updater.probe()).toMatchObject({ status: 200, text: expect.stringContaining("ready") }),
  );
  expect(await updater.metric('syncs_total{outcome="updated"}')).toBe(1);
  expect(await updater.metric('syncs_total{outcome="failed"}')).toBe(0);
  expect(await updater.metric("last_success_timestamp_seconds")).toBeGreaterThan(1e9);
  await until(async () => expect(await updater.metric('syncs_total{outcome="unchanged"}')).toBeGreaterThan(1));
  const next = await upstream.push({ a: "2" });
  await updater.shows(next);
  const { text } = await until(async () => {
    const metrics = await updater.sidecar.get("/metrics");
    expect(metrics.text).toContain(next);
    return metrics;
  });
  expect(text).not.toContain(hash);
  expect(text).toContain("repo_updater_sync_duration_seconds_bucket");
});

test("SIGHUP is a round at once", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const first = await upstream.push({ a: "1" });
  await using updater = await following(directory.path, { repo: upstream.path, period: "1h" });
  await updater.shows(first);
  const second = await upstream.push({ a: "2" });
  await until(() => updater.probe().then(({ text }) => expect(text).toMatch(/^ready/)));
  await updater.sidecar.reload();
  await updater.shows(second);
});

test("a reader sees one version or another, whole, over 30 updates", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  await upstream.push(manyFiles("version 0"));
  await using updater = await following(directory.path, { repo: upstream.path, period: "10ms" });
  await until(async () => expect(await textsThrough(updater.link)).toBeDefined());
  const seen = new Set<string>();
  const over = new AbortController();
  const reader = (async () => {
    while (!over.signal.aborted) {
      const texts = await textsThrough(updater.link);
      if (texts) seen.add(texts.join(" | "));
    }
  })();
  let newest = "";
  for (let version = 1; version <= 30; version++) {
    newest = await upstream.push(manyFiles(`version ${version}`));
    await updater.shows(newest);
  }
  over.abort();
  await reader;
  expect(seen.size).toBeGreaterThan(10);
  for (const texts of seen) expect(texts).toMatch(/^version \d+ \| files: 40$/);
});

test("a forced push replaces what was there", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const base = await upstream.push({ a: "1" });
  const dropped = await upstream.push({ a: "2" });
  await using updater = await following(directory.path, { repo: upstream.path });
  await updater.shows(dropped);
  await git(upstream.clone, "reset", "--quiet", "--hard", base);
  const forced = await upstream.push({ b: "3" }, "--force");
  await updater.shows(forced);
  expect(await readdir(updater.link)).toEqual([".git", "a", "b"]);
  expect(await readFile(join(updater.link, "a"), "utf8")).toBe("1");
  await git(upstream.clone, "push", "--quiet", "--force", "origin", `${base}:main`);
  await updater.shows(base);
});

test("when the branch is deleted the last tree stays, degraded, until the branch is back", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await git(upstream.clone, "checkout", "--quiet", "-b", "release");
  const last = await upstream.push({ a: "2" });
  await using updater = await following(directory.path, { repo: upstream.path, ref: "release" });
  await updater.shows(last);
  await git(upstream.clone, "push", "--quiet", "origin", "--delete", "release");
  await until(async () => {
    const { status, text } = await updater.probe();
    expect({ status, text }).toMatchObject({
      status: 200,
      text: expect.stringMatching(/^degraded: .*--ref "release": .*no such branch/),
    });
  });
  await updater.shows(last);
  const back = await upstream.push({ a: "3" });
  await updater.shows(back);
  await until(async () => expect((await updater.probe()).text).toMatch(/^ready/));
});

test("a tag that is moved is followed, annotated or not, and a branch of the same name wins", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const first = await upstream.push({ a: "1" });
  await git(upstream.clone, "tag", "live");
  await git(upstream.clone, "push", "--quiet", "origin", "live");
  await using updater = await following(directory.path, { repo: upstream.path, ref: "live" });
  await updater.shows(first);
  const second = await upstream.push({ a: "2" });
  await git(upstream.clone, "tag", "--force", "--annotate", "--message=moved", "live");
  await git(upstream.clone, "push", "--quiet", "--force", "origin", "refs/tags/live");
  await updater.shows(second);
  const third = await upstream.push({ a: "3" });
  await git(upstream.clone, "push", "--quiet", "origin", "HEAD:refs/heads/live");
  await updater.shows(third);
  expect(await readFile(join(updater.link, "a"), "utf8")).toBe("3");
});

test("a full hash is published, also one that no branch points to", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const wanted = await upstream.push({ a: "1" });
  await upstream.push({ a: "2" });
  await using updater = await following(directory.path, { repo: `file://${upstream.path}`, ref: wanted });
  await updater.shows(wanted);
  await until(async () => expect(await updater.metric('syncs_total{outcome="unchanged"}')).toBeGreaterThan(1));
});

test("the hash of an annotated tag leads to its commit, without a fetch in each round", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const commit = await upstream.push({ a: "1" });
  await git(upstream.clone, "tag", "--annotate", "--message=first", "v1");
  await git(upstream.clone, "push", "--quiet", "origin", "v1");
  const tag = await git(upstream.clone, "rev-parse", "refs/tags/v1");
  await using updater = await following(directory.path, { repo: upstream.path, ref: tag });
  await updater.shows(commit);
  await rename(upstream.path, `${upstream.path}.away`);
  await until(async () => expect(await updater.metric('syncs_total{outcome="unchanged"}')).toBeGreaterThan(2));
  expect(await updater.metric('syncs_total{outcome="failed"}')).toBe(0);
});

test("history is as deep as asked for, and follows a change of depth", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  for (const a of ["1", "2", "3"]) await upstream.push({ a });
  const newest = await git(upstream.clone, "rev-parse", "HEAD");
  const count = async (depth: string) => {
    await using updater = await following(directory.path, { repo: upstream.path, depth });
    await updater.shows(newest);
    await until(() => updater.probe().then(({ text }) => expect(text).toMatch(/^ready/)));
    await until(async () => expect(await updater.metric('syncs_total{outcome="unchanged"}')).toBeGreaterThan(0));
    return Number(await git(updater.link, "rev-list", "--count", "HEAD"));
  };
  // The file protocol: over a bare path git would ignore a depth only in a clone.
  expect(await count("1")).toBe(1);
  expect(await count("2")).toBe(2);
  expect(await count("0")).toBe(3);
  expect(await count("1")).toBe(1);
});

test("an old worktree is kept for as long as asked", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const first = await upstream.push({ a: "1" });
  await using updater = await following(directory.path, { repo: upstream.path, staleWorktreeTimeout: "1s" });
  await updater.shows(first);
  const old = await realpath(updater.link);
  const second = await upstream.push({ a: "2" });
  await updater.shows(second);
  expect(await readFile(join(old, "a"), "utf8")).toBe("1");
  await until(async () => expect(await readdir(join(updater.root, ".worktrees"))).not.toContain(first));
  const registered = await until(async () => {
    const names = await readdir(join(updater.root, ".git", "worktrees"));
    expect(names).toHaveLength(1);
    return names;
  });
  expect(registered).toEqual([second]);
});

test("the link may stand outside the root", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const hash = await upstream.push({ a: "1" });
  const link = join(directory.path, "www", "current");
  await using updater = await following(directory.path, { repo: upstream.path, link });
  await until(async () => expect(await readlink(link)).toBe(`../root/.worktrees/${hash}`));
  expect(await readFile(join(link, "a"), "utf8")).toBe("1");
  expect(await readdir(updater.root)).not.toContain("content");
});

test("the volume works at another place: link and git directory are relative", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const hash = await upstream.push({ a: "1" });
  {
    await using updater = await following(directory.path, { repo: upstream.path });
    await updater.shows(hash);
  }
  const moved = join(directory.path, "elsewhere");
  await rename(join(directory.path, "root"), moved);
  expect(await git(join(moved, "content"), "rev-parse", "HEAD")).toBe(hash);
});

test("names and bytes are as they were committed", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const bytes = Buffer.from([0, 13, 10, 255, 254, 10]);
  await writeFile(join(upstream.clone, "binary"), bytes);
  const name = Buffer.concat([Buffer.from(upstream.clone), Buffer.from([47, 0xff, 0xe4])]);
  await writeFile(name, "not UTF-8");
  const hash = await upstream.push({ "line ends.txt": "a\r\nb\n", "näme\nwith line feed": "x" });
  await using updater = await following(directory.path, { repo: upstream.path });
  await updater.shows(hash);
  expect(await readFile(join(updater.link, "binary"))).toEqual(bytes);
  expect(await readFile(join(updater.link, "line ends.txt"), "utf8")).toBe("a\r\nb\n");
  expect(execFileSync("ls", ["-1b", updater.link], { env: { LC_ALL: "C" } }).toString()).toContain("\\377\\344");
});
