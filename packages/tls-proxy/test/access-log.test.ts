import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { spawnScript } from "@pillion/kit/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { connectH2 } from "./h2-client.ts";
import { OK, startRawApp } from "./raw-app.ts";
import { connectTo } from "./start-proxy.ts";
import type { AccessEntry } from "../src/access-log/access-line.ts";
import { accessOutput, entriesTo } from "../src/access-log/access-log.ts";
import { streamOutput } from "../src/access-log/access-output.ts";

const run = promisify(execFile);
const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));
const writer = fileURLToPath(new URL("fixtures/access-writer.ts", import.meta.url));

let directory: string;
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), "tls-proxy-access-"))));
afterEach(() => rm(directory, { recursive: true }));
const started = () => {
  const listening = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  return ["--app-port", "1", ...listening, "--state-dir", directory];
};
const path = (name: string) => join(directory, name);

function entry(target: string): AccessEntry {
  const numbers = { time: 0, status: 200, bytesSent: 1, bytesReceived: 0, duration: 1 };
  return { ...numbers, client: "192.0.2.1", method: "GET", target, protocol: "HTTP/1.1", outcome: "complete" };
}

function open({ file = path("access.log") } = {}) {
  const told: string[] = [];
  const observer = { failed: (error: Error) => told.push(error.message), lost: () => told.push("lost") };
  const log = entriesTo(accessOutput(file, observer), { format: "json", query: false });
  return { log, told };
}

const targets = async (name: string) =>
  (await readFile(path(name), "utf8"))
    .split("\n")
    .flatMap((line) => (line ? [(JSON.parse(line) as AccessEntry).target] : []));

test("lines come in order, soon, appended, and only the owner and its group may read them", async () => {
  await writeFile(path("old.log"), '{"target":"/old"}\n');
  const { log } = open({ file: path("old.log") });
  log.write(entry("/1"));
  await vi.waitFor(async () => expect(await targets("old.log")).toEqual(["/old", "/1"]));
  for (let number = 2; number < 5_000; number++) log.write(entry(`/${number}`));
  await log.close();
  const written = await targets("old.log");
  expect(written).toEqual(["/old", ...Array.from({ length: 4_999 }, (_, index) => `/${index + 1}`)]);

  const fresh = open();
  await fresh.log.close();
  expect((await stat(path("access.log"))).mode & 0o027).toBe(0);
});

test("after a rotation the old file has every line from before, the new one every line since", async () => {
  const { log, told } = open();
  for (let number = 0; number < 1_000; number++) log.write(entry("/before"));
  await vi.waitFor(async () => expect(await targets("access.log")).toHaveLength(1_000));
  await rename(path("access.log"), path("access.log.1"));
  log.reopen();
  await vi.waitFor(() => stat(path("access.log")));
  log.write(entry("/after"));
  await log.close();
  expect(new Set(await targets("access.log.1"))).toEqual(new Set(["/before"]));
  expect(await targets("access.log")).toEqual(["/after"]);
  expect(told).toEqual([]);
});

test("a file that can't be opened anew is told of, the old one is written on, and later it may work", async () => {
  const { log, told } = open();
  await rename(path("access.log"), path("access.log.1"));
  await run("mkdir", [path("access.log")]);
  log.reopen();
  log.reopen();
  expect(told).toEqual([expect.stringMatching(/--access-log-file ".*access.log": .*EISDIR.*Give/), expect.anything()]);
  log.write(entry("/meanwhile"));
  await vi.waitFor(async () => expect(await targets("access.log.1")).toEqual(["/meanwhile"]));
  await rm(path("access.log"), { recursive: true });
  log.reopen();
  await vi.waitFor(() => stat(path("access.log")));
  log.write(entry("/later"));
  await log.close();
  expect(await targets("access.log")).toEqual(["/later"]);
  expect(told).toHaveLength(2);
});

test("a full disk is told of and breaks nothing", async () => {
  const { log, told } = open({ file: "/dev/full" });
  log.write(entry("/"));
  await vi.waitFor(() => expect(told.join()).toMatch(/ENOSPC/));
  await log.close();
});

test("a reader that reads nothing costs no waiting and no memory: what is too much is lost, and counted", async () => {
  await run("mkfifo", [path("pipe")]);
  const reader = spawn("sleep", ["60"], { stdio: [openSync(path("pipe"), "r+"), "ignore", "ignore"] });
  const { log, told } = open({ file: path("pipe") });
  const began = performance.now();
  for (let number = 0; number < 60_000; number++) log.write(entry(`/${"x".repeat(200)}`));
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(told.filter((one) => one === "lost").length).toBeGreaterThan(1_000);
  reader.kill();
  await once(reader, "exit");
});

test("a stream that is stuck loses what is too much, and doesn't hold up the end", async () => {
  const told: string[] = [];
  const stream = new Writable({ write() {} });
  const output = streamOutput(stream, { failed() {}, lost: () => told.push("lost") });
  for (let number = 0; number < 9_000; number++) output.write(`${"x".repeat(1_023)}\n`);
  expect([told.length, stream.writableLength]).toEqual([9_000 - 8_192, 8 << 20]);
  await output.close();
});

test("on standard output no line breaks into another, however fast both the log and it are", async () => {
  // A real pipe, as container engines have it, with a reader that is late: Node's own child pipes are sockets.
  const script = '"$0" --conditions=@pillion/source "$1" | (sleep 0.3; cat)';
  const { stdout } = await run("sh", ["-c", script, process.execPath, writer], { maxBuffer: 1 << 25 });
  const lines = stdout.split("\n").filter(Boolean);
  const kinds = Map.groupBy(lines, (line) => (JSON.parse(line) as { msg: string }).msg);
  expect([kinds.get("access")?.length, kinds.get("own")?.length]).toEqual([6_000, 60]);
});

test.each([
  ["a directory that isn't there", "none/access.log", "ENOENT"],
  ["a directory", ".", "EISDIR"],
])("as a process with %s for a file: exit 1, with its code and remedy", async (_name, name, reason) => {
  await using proxy = spawnScript(bin, [...started(), "--access-log", "json", "--access-log-file", path(name)]);
  expect(await proxy.exited).toBe(1);
  expect(proxy.output()).toMatch(new RegExp(`"ACCESS_LOG_UNWRITABLE".*--access-log-file.*${reason}.*Give a file`));
});

test("SIGHUP opens the access log's file anew", async () => {
  const log = ["--access-log", "combined", "--access-log-file", path("access.log")];
  await using proxy = spawnScript(bin, [...started(), ...log]);
  await proxy.says(/"msg":"started"/);
  await rename(path("access.log"), path("access.log.1"));
  proxy.process.kill("SIGHUP");
  await vi.waitFor(() => stat(path("access.log")));
  proxy.process.kill("SIGTERM");
  expect(await proxy.exited).toBe(0);
  expect(await readFile(path("access.log"), "utf8")).toBe("");
});

const FAILURES: Readonly<Record<string, [answer: string, error: string]>> = {
  "/lengths": ["Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "it has two different Content-Length fields"],
  "/nul": ["X-A: \0\r\n\r\n", "a field value holds a control character"],
  "/half": ["X-A", "the app closed the connection"],
};

test("each way in which the app fails is named, in the log once and in each request's entry", async () => {
  await using app = await startRawApp((socket, received) => {
    const asked = /[^]* (\/\w*) HTTP\/1.1\r\n[^]*\r\n\r\n$/.exec(received)?.[1] ?? "";
    const [lines] = FAILURES[asked] ?? [];
    if (lines === undefined) socket.write(OK);
    else socket.end(`HTTP/1.1 200 OK\r\n${lines}`);
  });
  const listening = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state-dir", directory];
  const log = ["--access-log", "json", "--access-log-file", path("access.log")];
  await using proxy = spawnScript(bin, ["--app-port", `${app.port}`, ...listening, ...log]);
  const [line] = await proxy.says(/^.*"msg":"started".*$/m);
  const { https = "" } = JSON.parse(line) as Record<string, string>;
  const server = { port: Number(https.split(":").at(-1)), ca: await readFile(path("development-ca/ca.pem"), "utf8") };
  await using h2 = await connectH2(server);
  for (const target of Object.keys(FAILURES)) {
    const client = await connectTo(server);
    // The entry of an answer before, on the same connection, has nothing to do with this one's.
    client.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    await client.receives(/ok$/);
    client.send(`POST ${target} HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\n\r\n`);
    await client.receives(/502 Bad Gateway\n/);
    client.socket.destroy();
    expect((await h2.request({ ":path": target, ":method": "POST" })).status).toBe(502);
  }
  proxy.process.kill("SIGTERM");
  expect(await proxy.exited).toBe(0);

  const lines = (await readFile(path("access.log"), "utf8")).split("\n").filter(Boolean);
  const entries = lines.map((one) => JSON.parse(one) as AccessEntry & { upstreamMs?: number });
  const failed = entries.filter(({ outcome }) => outcome === "app-failed");
  for (const [target, [, error]] of Object.entries(FAILURES)) {
    const expected = { status: 502, error, bytesSent: 0 };
    expect(failed.filter((one) => one.target === target)).toMatchObject([expected, expected]);
    expect(proxy.output()).toContain(`"msg":"the app broke off a request, or its answer is not HTTP: ${error}"`);
  }
  expect(failed.filter(({ upstreamMs }) => upstreamMs !== undefined)).toEqual([]);
  expect(entries.filter(({ outcome, error }) => outcome === "complete" && error !== undefined)).toEqual([]);
});
