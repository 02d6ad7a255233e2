import { execFile } from "node:child_process";
import { mkdir, open, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { spawnScript } from "@pillion/kit/testing";
import { expect, test, vi } from "vitest";
import { Upstream, git, scratch } from "./upstream.ts";

const command = new URL("../bin/repo-updater.js", import.meta.url).pathname;
const repoUpdater = (...args: readonly string[]) => spawnScript(command, [...args, "--admin-listen=127.0.0.1:0"]);

test("--once publishes and exits 0, under its other name as well", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  for (const flag of ["--once", "--one-time", "-one-time"]) {
    const root = join(directory.path, flag);
    await using updater = repoUpdater("--repo", upstream.path, "--root", root, "--link", "current", flag);
    expect(await updater.exited, updater.output()).toBe(0);
    expect(await readFile(join(root, "current", "a"), "utf8")).toBe("1");
  }
});

test.for([
  [
    "a repository that doesn't exist",
    ["--repo=/nonexistent/content.git"],
    /--repo "\/nonexistent\/content.git": there is no git repository.*Check --repo/,
  ],
  [
    "a ref that doesn't exist",
    ["--ref=nowhere"],
    /--ref "nowhere": the repository has no such branch or tag.*Check --ref/,
  ],
  ["an abbreviated hash", ["--ref=abcdef0"], /--ref "abcdef0": .*full hash/],
  [
    "a hash that isn't there",
    [`--ref=${"ab".repeat(20)}`],
    /--ref ".*": the repository has no such branch, tag or commit/,
  ],
  [
    "a server that isn't there",
    ["--repo=http://127.0.0.1:1/content.git"],
    /the server can't be reached.*Check the host and port/,
  ],
  ["a host name that isn't there", ["--repo=http://content.invalid/x.git"], /the server's name can't be resolved.*DNS/],
] as const)("--once with %s exits 1 with one message that says what to do", async ([, flags, message]) => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await using updater = repoUpdater(
    `--repo=${upstream.path}`,
    "--root",
    join(directory.path, "root"),
    "--once",
    ...flags,
  );
  expect(await updater.exited).toBe(1);
  expect(updater.output().replaceAll('\\"', '"')).toMatch(message);
});

test("content is ready while git still keeps house", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const commit = await upstream.push({ a: "1" });
  const gate = join(directory.path, "gate");
  await promisify(execFile)("mkfifo", [gate]);
  // Open for both ends: git waits for a line, and not for ever if this test fails.
  await using opener = await open(gate, "r+");
  const waiting = `#!/bin/sh\ncase "$*" in *"gc --auto"*) read line <'${gate}' ;; esac\nPATH='${process.env["PATH"]}'\nexec git "$@"\n`;
  await writeFile(join(directory.path, "git"), waiting, { mode: 0o755 });

  const flags = [`--repo=${upstream.path}`, "--root", join(directory.path, "root"), "--admin-listen=127.0.0.1:0"];
  await using updater = spawnScript(command, flags, { PATH: `${directory.path}:${process.env["PATH"]}` });
  const [, admin] = await updater.says(/"admin":"([^"]+)"/);
  const ask = async (path: string) => (await fetch(`http://${admin}${path}`)).text();
  await vi.waitFor(async () => expect(await ask("/readyz")).toBe("ready\n"), { timeout: 15_000, interval: 10 });
  const metrics = await ask("/metrics");
  expect(metrics).toContain(`repo_updater_info{hash="${commit}"} 1`);
  expect(metrics).toContain('repo_updater_syncs_total{outcome="updated"} 1');
  const rounds = async () => /duration_seconds_count (\d+)/.exec(await ask("/metrics"))?.[1];
  expect(await rounds()).toBe("0");
  await opener.write("go on\n");
  await vi.waitFor(async () => expect(await rounds()).toBe("1"), { timeout: 15_000, interval: 10 });
});

test("--once with an empty repository exits 1", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  await using updater = repoUpdater("--repo", upstream.path, "--root", join(directory.path, "root"), "--once");
  expect(await updater.exited).toBe(1);
  expect(updater.output()).toContain("the repository is empty, or its HEAD leads nowhere");
});

test("without --once it tries again, up to --max-failures in a row", async () => {
  await using directory = await scratch();
  const flags = ["--repo=/nonexistent/content.git", "--root", join(directory.path, "root"), "--period=20ms"];
  await using patient = repoUpdater(...flags);
  await using impatient = repoUpdater(...flags.map((flag) => flag.replace(/\/root$/, "/other")), "--max-failures=3");
  expect(await impatient.exited).toBe(1);
  await using first = repoUpdater(
    "--repo=/nonexistent/content.git",
    "--root",
    join(directory.path, "third"),
    "--max-failures=0",
  );
  expect(await first.exited).toBe(1);
  expect(patient.process.exitCode).toBe(null);
  patient.process.kill("SIGTERM");
  expect(await patient.exited).toBe(0);
});

test("all that is wrong with the options is said at once: exit 2", async () => {
  await using updater = repoUpdater("--ref=-x", "--depth=-1", "--period=soon", "--username=a:b", "--nope");
  expect(await updater.exited).toBe(2);
  for (const name of ["--repo", "--root", "--ref", "--depth", "--period", "--username", "--nope"])
    expect(updater.output()).toContain(name);
});

test("a password file that can't be read is one problem, not a missing password as well: exit 2", async () => {
  await using updater = repoUpdater(
    "--repo=https://host/x",
    "--root=/x",
    "--username=a",
    "--password-file=/nonexistent",
  );
  expect(await updater.exited).toBe(2);
  expect(updater.output()).toMatch(/^repo-updater: a problem with the options\n.*ENOENT/);
});

test.for([
  ["a repository that looks like an option", "--repo=--upload-pack=touch /tmp/x", /leading dash/],
  ["a remote helper that runs commands", "--repo=ext::sh -c date", /ext:: run commands/],
  ["an unknown protocol", "--repo=gopher://host/x", /gopher:\/\/ is not one of git's/],
  ["a ref with a glob", "--ref=release-*", /can't be in a ref's name/],
  ["a link that is the root", "--link=.", /in the place of the root/],
  ["a link above the root", "--link=..", /in the place of the root/],
  ["a link among the worktrees", "--link=.worktrees/x", /used by repo-updater itself/],
  ["a password without HTTP", "--username=me", /has no password/],
] as const)("%s is refused: exit 2", async ([, flag, message]) => {
  await using updater = repoUpdater("--repo=/srv/content.git", "--root=/tmp/nowhere", flag);
  expect(await updater.exited).toBe(2);
  expect(updater.output()).toMatch(message);
});

test("a secret is not taken from the command line", async () => {
  await using updater = repoUpdater("--repo=https://host/x", "--root=/tmp/nowhere", "--username=me", "--password=x");
  expect(await updater.exited).toBe(2);
  expect(updater.output()).toContain("--password-file");
});

test.for([
  [
    "stands below a file",
    async (directory: string) => {
      await writeFile(join(directory, "file"), "");
      return join(directory, "file", "root");
    },
  ],
  [
    "is a file",
    async (directory: string) => {
      await writeFile(join(directory, "file"), "");
      return join(directory, "file");
    },
  ],
] as const)("a root that %s: exit 1", async ([, make]) => {
  await using directory = await scratch();
  await using updater = repoUpdater("--repo=/srv/content.git", "--root", await make(directory.path));
  expect(await updater.exited).toBe(1);
  expect(updater.output()).toMatch(/ROOT_UNUSABLE.*--root .*Give a directory that is writable by uid/);
});

test.for([
  ["a directory", (link: string) => mkdir(link).then(() => writeFile(join(link, "precious"), "mine"))],
  ["a file", (link: string) => writeFile(link, "mine")],
] as const)("%s in the link's place is left alone: exit 1", async ([, occupy]) => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await mkdir(root);
  await occupy(join(root, "content"));
  await using updater = repoUpdater("--repo", upstream.path, "--root", root);
  expect(await updater.exited).toBe(1);
  expect(updater.output()).toMatch(/LINK_OCCUPIED.*isn't a link, and is left alone.*give another --link/);
  expect(await readdir(root)).toEqual(["content"]);
});

test("a repository of somebody else's in the root is left alone: exit 1", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  const head = await upstream.push({ a: "1" });
  await using updater = repoUpdater("--repo", upstream.path, "--root", upstream.clone);
  expect(await updater.exited).toBe(1);
  expect(updater.output()).toMatch(/ROOT_FOREIGN.*repo-updater didn't make/);
  expect(await git(upstream.clone, "rev-parse", "HEAD")).toBe(head);
  expect(await git(upstream.clone, "status", "--porcelain")).toBe("");
});

test("a second one in the same root exits 1, and the first goes on", async () => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await using first = repoUpdater("--repo", upstream.path, "--root", root);
  await first.says(/published/);
  await using second = repoUpdater("--repo", upstream.path, "--root", root);
  expect(await second.exited).toBe(1);
  expect(second.output()).toMatch(/ROOT_IN_USE.*another repo-updater works in it/);
  expect(first.process.exitCode).toBe(null);
});

test("no git on the PATH: a message, not a stack", async () => {
  await using directory = await scratch();
  const flags = ["--repo=/srv/content.git", "--root", join(directory.path, "root"), "--admin-listen=127.0.0.1:0"];
  await using updater = spawnScript(command, flags, { PATH: directory.path });
  expect(await updater.exited).toBe(1);
  expect(updater.output()).toMatch(/GIT_NOT_FOUND.*no program called git.*Install git/);
});
