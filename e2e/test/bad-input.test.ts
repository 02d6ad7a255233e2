import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Spawned, spawnScript } from "@pillion/kit/testing";
import { expect, onTestFinished, test } from "vitest";

type Sidecar = "topz" | "tls-proxy" | "repo-updater" | "config-sync";
const root = join(import.meta.dirname, "../..");

function start(sidecar: Sidecar, ...args: readonly string[]): Spawned {
  const all = ["--admin-listen=127.0.0.1:0", "--log-format=json", ...args];
  const started = spawnScript(join(root, "packages", sidecar, "bin", `${sidecar}.js`), all);
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

async function directory(): Promise<string> {
  const made = await mkdtempDisposable(join(tmpdir(), "pillion-bad-input-"));
  onTestFinished(() => made.remove());
  return made.path;
}

async function adminOf(started: Spawned): Promise<(path: string) => Promise<string>> {
  const [, address] = await started.says(/"admin":"([^"]+)"/);
  return async (path) => {
    const answer = await fetch(`http://${address}${path}`);
    return `${answer.status} ${(await answer.text()).trim()}`;
  };
}

/** A key and its certificate, made by openssl. */
function makePair(folder: string, name: string): { readonly cert: string; readonly key: string } {
  const pair = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const subject = [
    "-subj",
    `/CN=${name}`,
    "-days",
    "2",
    "-nodes",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
  ];
  execFileSync("openssl", ["req", "-x509", ...subject, "-keyout", pair.key, "-out", pair.cert], { stdio: "ignore" });
  return pair;
}

function makeRepository(folder: string): void {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@localhost", ...args]);
  git("init", "--quiet", "--initial-branch=main");
  git("commit", "--quiet", "--allow-empty", "--message=first");
}

test("every wrong option is named at once, and the exit code is 2", async () => {
  const folder = await directory();
  const cases: [Sidecar, readonly string[], readonly RegExp[]][] = [
    ["topz", ["--intervall=2s", "--interval=soon"], [/--intervall: no such option.*--interval/, /--interval "soon"/]],
    ["tls-proxy", ["--cert=a.pem"], [/--app-port: /, /--key: /]],
    ["repo-updater", ["--depth=-1"], [/--repo: required/, /--root: required/, /--depth "-1"/]],
    [
      "config-sync",
      [`--source=${folder}/target/source`, `--target=${folder}/target`, "--settle=x"],
      [/--source/, /--settle "x"/],
    ],
  ];
  await Promise.all(
    cases.map(async ([sidecar, args, messages]) => {
      const started = start(sidecar, ...args);
      expect(await started.exited).toBe(2);
      for (const message of messages) expect(started.output()).toMatch(message);
      expect(started.output().trimEnd().split("\n").at(-1)).toMatch(/^ {2}\S+.*: /);
    }),
  );
});

test("a port in use: exit 1, and the message says which and how to choose another", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const started = start("topz", `--listen=127.0.0.1:${port}`);
  expect(await started.exited).toBe(1);
  expect(started.output()).toMatch(new RegExp(`--listen .*127.0.0.1:${port}.*in use.*--listen`));
});

test("a certificate that can't be read, isn't one, or doesn't fit its key: exit 1, and no key is shown", async () => {
  const folder = await directory();
  const [one, other] = [makePair(folder, "one"), makePair(folder, "other")];
  const nonsense = join(folder, "nonsense.pem");
  await writeFile(nonsense, "not a certificate");
  const cases = [
    [join(folder, "absent.crt"), one.key, /absent\.crt.*(?:no such file|not there|ENOENT|exist)/i],
    [nonsense, one.key, /nonsense\.pem.*PEM/],
    [one.cert, nonsense, /nonsense\.pem/],
    [one.cert, other.key, /key.*(?:belong|fit|match)/i],
  ] as const;
  for (const [cert, key, message] of cases) {
    const started = start("tls-proxy", "--listen=127.0.0.1:0", "--app-port=1", `--cert=${cert}`, `--key=${key}`);
    expect(await started.exited).toBe(1);
    expect(started.output()).toMatch(message);
    expect(started.output()).not.toContain((await readFile(one.key, "utf8")).split("\n")[1]);
  }
});

test("a target or a state directory that can't be written: exit 1 with its name", async () => {
  const folder = await directory();
  const file = join(folder, "file");
  await writeFile(file, "");
  await mkdir(join(folder, "source"));
  const sync = start("config-sync", `--source=${join(folder, "source")}`, `--target=${join(file, "target")}`);
  expect(await sync.exited).toBe(1);
  expect(sync.output()).toContain(join(file, "target"));
  const proxy = start("tls-proxy", "--listen=127.0.0.1:0", "--app-port=1", `--state-dir=${join(file, "state")}`);
  expect(await proxy.exited).toBe(1);
  expect(proxy.output()).toContain(join(file, "state"));
  makeRepository(folder);
  const updater = start("repo-updater", `--repo=${folder}`, `--root=${join(file, "root")}`);
  expect(await updater.exited).toBe(1);
  expect(updater.output()).toContain(join(file, "root"));
});

test("a repository or ref that doesn't exist: --once ends with 1, otherwise it isn't ready and gives up after --max-failures", async () => {
  const folder = await directory();
  await mkdir(join(folder, "repository"));
  makeRepository(join(folder, "repository"));
  const where = [`--root=${join(folder, "root")}`, "--period=100ms"];
  const wrong = [
    [`--repo=${join(folder, "nowhere")}`],
    [`--repo=${join(folder, "repository")}`, "--ref=no-such-branch"],
  ];
  for (const what of wrong) {
    const single = start("repo-updater", ...what, ...where, "--once");
    expect(await single.exited).toBe(1);
    expect(single.output()).toMatch(/nowhere|no-such-branch/);
    const patient = start("repo-updater", ...what, ...where, "--max-failures=3");
    const admin = await adminOf(patient);
    await expect.poll(() => admin("/readyz")).toMatch(/^503 starting: .*(?:nowhere|no-such-branch)/);
    expect(await patient.exited).toBe(1);
  }
});

test("a source that is missing is waited for: not ready, it says so, and goes on when the source is there", async () => {
  const folder = await directory();
  const [source, target] = [join(folder, "source"), join(folder, "target")];
  const admin = await adminOf(start("config-sync", `--source=${source}`, `--target=${target}`, "--resync=1s"));
  await expect.poll(() => admin("/readyz")).toMatch(/^503 starting: .*source/);
  expect(await admin("/livez")).toBe("200 ok");
  await mkdir(source);
  await writeFile(join(source, "app.json"), "{}");
  await expect.poll(() => admin("/readyz"), { timeout: 10_000 }).toBe("200 ready");
  expect(await readFile(join(target, "app.json"), "utf8")).toBe("{}");
});

test("an app that isn't running: 503 with Retry-After from tls-proxy, published but degraded from config-sync, nobody exits", async () => {
  const folder = await directory();
  const proxy = start("tls-proxy", "--listen=127.0.0.1:0", "--app-port=1", `--state-dir=${join(folder, "state")}`);
  const [, port] = await proxy.says(/"https":"127\.0\.0\.1:(\d+)"/);
  const [answer] = await once(request({ port, rejectUnauthorized: false }).end(), "response");
  answer.resume();
  expect(answer.statusCode).toBe(503);
  expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
  expect(await (await adminOf(proxy))("/readyz")).toMatch(/^200 degraded: app: /);

  const [source, target] = [join(folder, "source"), join(folder, "target")];
  await mkdir(source);
  await writeFile(join(source, "app.json"), "{}");
  const notify = ["--notify=signal:HUP", "--process=script=no-such-app.js"];
  const admin = await adminOf(start("config-sync", `--source=${source}`, `--target=${target}`, ...notify));
  await expect.poll(() => admin("/readyz")).toMatch(/^200 degraded: .*app/);
  expect(await readFile(join(target, "app.json"), "utf8")).toBe("{}");
});

test("a file that isn't well-formed is refused with file and line, and the last good one stays until it is mended", async () => {
  const folder = await directory();
  const [source, target] = [join(folder, "source"), join(folder, "target")];
  await mkdir(source);
  const write = (text: string) => writeFile(join(source, "app.xml"), text);
  await write("<app>\n<a>1</a>\n</app>");
  const sync = start("config-sync", `--source=${source}`, `--target=${target}`);
  const admin = await adminOf(sync);
  await expect.poll(() => admin("/readyz")).toBe("200 ready");
  await write("<app>\n<a>secret-word</b>\n</app>");
  await expect.poll(() => admin("/readyz"), { timeout: 5_000 }).toMatch(/^200 degraded: .*app\.xml.*2/);
  expect(await readFile(join(target, "app.xml"), "utf8")).toContain("<a>1</a>");
  await write("<app>\n<a>2</a>\n</app>");
  await expect.poll(() => admin("/readyz"), { timeout: 5_000 }).toBe("200 ready");
  expect(await readFile(join(target, "app.xml"), "utf8")).toContain("<a>2</a>");
  expect(sync.output()).not.toContain("secret-word");
});

test("what stands in the link's place and isn't a link stays, and the message says so", async () => {
  const folder = await directory();
  await mkdir(join(folder, "repository"));
  makeRepository(join(folder, "repository"));
  const store = join(folder, "root");
  await mkdir(join(store, "site"), { recursive: true });
  await writeFile(join(store, "site", "mine"), "");
  const updater = start(
    "repo-updater",
    `--repo=${join(folder, "repository")}`,
    `--root=${store}`,
    "--link=site",
    "--once",
  );
  expect(await updater.exited).toBe(1);
  expect(updater.output()).toContain(join(store, "site"));
  expect(await readFile(join(store, "site", "mine"), "utf8")).toBe("");
});
