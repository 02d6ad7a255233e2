import { readFileSync, readdirSync } from "node:fs";
import { readFile, readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { spawnScript, startSidecar } from "@pillion/kit/testing";
import { expect, test, vi } from "vitest";
import { repoUpdater } from "../src/index.ts";
import { serveDaemon, serveHttp, serveRedirects, serveSilence } from "./servers.ts";
import { Upstream, scratch } from "./upstream.ts";

const command = new URL("../bin/repo-updater.js", import.meta.url).pathname;
const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

/** Pids of the processes that git started for this root. */
function ofRoot(root: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        return (
          Number.isInteger(pid) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(`PILLION_GIT_ROOT=${root}`)
        );
      } catch {
        return false;
      }
    });
}

test("HTTP with basic authentication: a push is seen, and the password stands on no command line and in no file", async () => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await using server = await serveHttp(upstream.path, "reader:s3cret/+pass");
  const options = { repo: server.url, root, period: "20ms", username: "reader", password: "s3cret/+pass" };
  await using sidecar = await startSidecar(repoUpdater(options));
  const lines = new Set<string>();
  const over = new AbortController();
  const watcher = (async () => {
    while (!over.signal.aborted) {
      for (const pid of ofRoot(root)) {
        try {
          lines.add(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
        } catch {
          // It ended.
        }
      }
      await new Promise(setImmediate);
    }
  })();
  const hash = await upstream.push({ a: "2" });
  await until(async () => expect(await readlink(join(root, "content"))).toBe(`.worktrees/${hash}`));
  over.abort();
  await watcher;
  const secrets = ["s3cret", Buffer.from("reader:s3cret/+pass").toString("base64")];
  expect([...lines].join("\n")).toContain("remote-http");
  for (const secret of secrets) {
    expect([...lines].join("\n")).not.toContain(secret);
    expect(JSON.stringify(sidecar.log)).not.toContain(secret);
    expect((await sidecar.get("/config")).text).not.toContain(secret);
  }
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0));
    for (const secret of secrets) expect(bytes.includes(secret)).toBe(false);
  }
  expect(server.requests.length).toBeGreaterThan(2);
  expect(server.requests.every(({ authorization }) => authorization?.startsWith("Basic "))).toBe(true);
});

test("credentials in the URL work as well, and are shown nowhere", async () => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  const upstream = await Upstream.create(directory.path);
  const hash = await upstream.push({ a: "1" });
  await using server = await serveHttp(upstream.path, "reader:s3cret");
  const repo = server.url.replace("//", "//reader:s3cret@");
  await using sidecar = await startSidecar(repoUpdater({ repo, root, period: "20ms" }));
  await until(async () => expect(await readlink(join(root, "content"))).toBe(`.worktrees/${hash}`));
  expect((await sidecar.get("/config")).text).not.toContain("s3cret");
  expect(JSON.stringify(sidecar.log)).not.toContain("s3cret");
});

test("a wrong password is said so, and one that is put right in its file works from the next round", async () => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  const upstream = await Upstream.create(directory.path);
  const hash = await upstream.push({ a: "1" });
  await using server = await serveHttp(upstream.path, "reader:right");
  const file = join(directory.path, "password");
  await writeFile(file, "wrong\n");
  const flags = [
    "--repo",
    server.url,
    "--root",
    root,
    "--period",
    "20ms",
    "--username",
    "reader",
    "--password-file",
    file,
  ];
  await using updater = spawnScript(command, [...flags, "--admin-listen", "127.0.0.1:0"]);
  await updater.says(/the server refuses access with these credentials.*Check --username/);
  await writeFile(file, "right\n");
  await until(async () => expect(await readlink(join(root, "content"))).toBe(`.worktrees/${hash}`));
  expect(updater.output()).not.toMatch(/right|wrong/);
});

test("a server that redirects elsewhere doesn't get the password sent there", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await using elsewhere = await serveHttp(upstream.path);
  await using server = await serveRedirects(elsewhere.url);
  const options = { repo: server.url, root: join(directory.path, "root"), username: "reader", password: "s3cret" };
  await using sidecar = await startSidecar(repoUpdater(options));
  await until(async () => expect((await sidecar.get("/readyz")).text).toMatch(/the server redirects.*Give the URL/));
  expect(elsewhere.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
});

test("without credentials a redirect is followed", async () => {
  await using directory = await scratch();
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await using elsewhere = await serveHttp(upstream.path);
  await using server = await serveRedirects(elsewhere.url);
  await using sidecar = await startSidecar(repoUpdater({ repo: server.url, root: join(directory.path, "root") }));
  await until(async () => expect((await sidecar.get("/readyz")).text).toMatch(/^ready/));
});

test("a poll without a change is one request for the refs over HTTP", async () => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await using server = await serveHttp(upstream.path);
  await using sidecar = await startSidecar(repoUpdater({ repo: server.url, root, period: "1h" }));
  await until(async () => expect((await sidecar.get("/readyz")).text).toMatch(/^ready/));
  const before = server.requests.length;
  await sidecar.reload();
  await until(async () => expect((await sidecar.get("/metrics")).text).toMatch(/outcome="unchanged"\} 1/));
  const [capabilities, refs, ...more] = server.requests.slice(before).map(({ line }) => line);
  expect(capabilities).toMatch(/^GET .*service=git-upload-pack/);
  expect(refs).toMatch(/^POST .*git-upload-pack/);
  expect(more).toEqual([]);
});

test("git daemon", async () => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await using server = await serveDaemon(upstream.path);
  await using sidecar = await startSidecar(repoUpdater({ repo: server.url, root, period: "20ms" }));
  await until(async () => expect((await sidecar.get("/readyz")).text).toMatch(/^ready/));
  const hash = await upstream.push({ a: "2" });
  await until(async () => expect(await readlink(join(root, "content"))).toBe(`.worktrees/${hash}`));
});

test("SIGTERM while a server hangs ends everything that git started, at once", async () => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  await using server = await serveSilence();
  await using updater = spawnScript(command, ["--repo", server.url, "--root", root, "--admin-listen", "127.0.0.1:0"]);
  await server.connected;
  expect(ofRoot(root).length).toBeGreaterThan(1);
  const asked = performance.now();
  updater.process.kill("SIGTERM");
  expect(await updater.exited).toBe(0);
  expect(performance.now() - asked).toBeLessThan(3_000);
  expect(ofRoot(root)).toEqual([]);
});

test("a server that hangs is given up after the time-out, and nothing of it is left", async () => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  await using server = await serveSilence();
  await using sidecar = await startSidecar(repoUpdater({ repo: server.url, root, syncTimeout: "300ms", period: "1h" }));
  await server.connected;
  await until(async () =>
    expect((await sidecar.get("/readyz")).text).toMatch(/--sync-timeout "300ms": the round wasn't done/),
  );
  expect(ofRoot(root)).toEqual([]);
});

test("what a killed repo-updater left running is ended by the next one", async () => {
  await using directory = await scratch();
  const root = join(directory.path, "root");
  await using server = await serveSilence();
  {
    await using killed = spawnScript(command, ["--repo", server.url, "--root", root, "--admin-listen", "127.0.0.1:0"]);
    await server.connected;
    killed.process.kill("SIGKILL");
    await killed.exited;
  }
  const orphans = ofRoot(root);
  expect(orphans.length).toBeGreaterThan(0);
  const upstream = await Upstream.create(directory.path);
  await upstream.push({ a: "1" });
  await using next = spawnScript(command, [
    "--repo",
    upstream.path,
    "--root",
    root,
    "--once",
    "--admin-listen",
    "127.0.0.1:0",
  ]);
  expect(await next.exited).toBe(0);
  expect(ofRoot(root)).toEqual([]);
});
