import { mkdtemp, realpath, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Git } from "./git.ts";

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "repo-updater-git-")));
});
afterEach(() => rm(root, { recursive: true }));

const { signal } = new AbortController();
const gitFor = (url: string, credentials?: { username: string; password: string }) =>
  new Git({ root, environment: process.env, source: { url, ref: "HEAD", credentials: () => credentials } });

test("a failure without output is one", async () => {
  await expect(
    gitFor("/x").run(["diff", "--no-index", "--quiet", "/dev/null", "/etc/passwd"], { signal }),
  ).rejects.toMatchObject({
    code: "GIT_FAILED",
    cause: { message: "exit code 1" },
  });
});

test("more output than is reasonable ends the command", async () => {
  const endless = ["-c", "alias.endless=!yes", "endless"];
  await expect(gitFor("/x").run(endless, { signal })).rejects.toThrow("printed more than 1048576 bytes");
});

test("a host name that reads like a setting is no reason for simple-git to refuse the command", async () => {
  for (const name of [
    "alias",
    "core.editor",
    "credential.helper",
    "include.path",
    "pager",
    "filter.x.clean",
    "url.x.insteadof",
  ]) {
    const git = gitFor(`https://${name}.example.com/x`, { username: "me", password: "secret" });
    await expect(git.run(["version"], { signal, remote: true })).resolves.toMatch(/^git version/);
  }
});

test("an abort ends the command it is for, and none that comes after it", async () => {
  await using server = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const git = gitFor("/x");
  const early = new AbortController();
  await git.run(["version"], { signal: early.signal });
  const late = new AbortController();
  const connected = once(server, "connection");
  const hanging = git.run(["ls-remote", `git://127.0.0.1:${port}/x`], { signal: late.signal });
  await connected;
  early.abort();
  let ended = false;
  void hanging.catch(() => (ended = true));
  for (let command = 0; command < 20; command++) await git.run(["version"], { signal });
  expect(ended).toBe(false);
  late.abort(new Error("enough"));
  await expect(hanging).rejects.toThrow("enough");
  await expect(git.run(["version"], { signal: late.signal })).rejects.toThrow("enough");
  expect(await git.killAll()).toBe(0);
});
