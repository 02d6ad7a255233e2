import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whyNoRegistry } from "./local-registry.ts";
import { type Newcomer, type Outcome, installFromRegistry } from "./newcomer.ts";
import { repository } from "./working-copy.ts";

const commands = ["topz", "tls-proxy", "repo-updater", "config-sync"];
const names = ["kit", "procfs", ...commands];
const attw = fileURLToPath(new URL("dist/index.js", import.meta.resolve("@arethetypeswrong/cli/package.json")));

const missing = await whyNoRegistry();
if (missing && !process.env["CI"]) console.log(`packages are not tried: ${missing}`);

/** What somebody gets who has npm and nothing of this repository: packed, published and installed by the real programs. */
describe.skipIf(missing && !process.env["CI"])("packages from a registry", () => {
  let newcomer: Newcomer;
  let project: string;

  beforeAll(async () => {
    if (missing) throw new Error(missing);
    newcomer = await installFromRegistry(names);
    ({ project } = newcomer);
  }, 120_000);

  afterAll(async () => newcomer?.[Symbol.asyncDispose]());

  /** Compiles the project's `.ts` files as strictly as it goes, and its dependencies' declarations with them. */
  async function compile(module: string, moduleResolution: string): Promise<Outcome> {
    const compilerOptions = { module, moduleResolution, target: "es2024", strict: true, skipLibCheck: false };
    const config = { compilerOptions: { ...compilerOptions, types: ["node"], outDir: module }, include: ["*.ts"] };
    await writeFile(join(project, "tsconfig.json"), JSON.stringify(config));
    return await newcomer.run("node", join(repository, "node_modules/typescript/bin/tsc"));
  }

  test.for(names)("%s is published with what runs and nothing else", async (name) => {
    const installed = join(project, "node_modules/@pillion", name);
    const files = (await readdir(installed, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1));
    const all = await readdir(join(repository, "packages", name, "src"), { recursive: true });
    const sources = all.filter((file) => /(?<!\.test)\.ts$/.test(file));
    const built = sources.flatMap((file) => [
      `dist/${file.replace(".ts", ".js")}`,
      `dist/${file.replace(".ts", ".d.ts")}`,
    ]);
    const program = commands.includes(name) ? [`bin/${name}.js`] : [];
    expect(files.toSorted()).toEqual(["LICENSE", "README.md", "package.json", ...program, ...built].toSorted());
    const texts = await Promise.all(files.map((file) => readFile(join(installed, file), "utf8")));
    expect(files.filter((_file, index) => /^\/\/# sourceMappingURL/m.test(texts[index] ?? ""))).toEqual([]);
  });

  test.for(names)("the manifest of %s leads only to files that are there", async (name) => {
    const manifest = JSON.parse(await readFile(join(project, "node_modules/@pillion", name, "package.json"), "utf8"));
    const targets = leaves({ ...manifest.exports, ...manifest.imports, ...manifest.bin });
    for (const target of targets) await readFile(join(project, "node_modules/@pillion", name, target));
    expect(targets.length).toBeGreaterThan(1);
    expect(JSON.stringify(manifest)).not.toContain("@pillion/source");
    expect(manifest).not.toHaveProperty("scripts");
    expect(manifest).not.toHaveProperty("devDependencies");
  });

  test.for(names)("publint and attw find nothing in %s", async (name) => {
    const bytes = await readFile(newcomer.tarball(name));
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
    const { code, output } = await newcomer.run("node", attw, newcomer.tarball(name), "--profile", "esm-only");
    expect(code, output).toBe(0);
  });

  test("every entry imports from plain JavaScript", async () => {
    const further = ["kit/testing", "tls-proxy/http-proxy", "tls-proxy/http1", "tls-proxy/relay"];
    const entries = [...names, ...further].map((name) => `@pillion/${name}`);
    const program = `const entries = ${JSON.stringify(entries)};
      const modules = await Promise.all(entries.map((entry) => import(entry)));
      console.log(JSON.stringify(modules.map((module) => Object.keys(module).filter((key) => module[key] !== undefined))));`;
    await writeFile(join(project, "plain.mjs"), program);
    const { code, output } = await newcomer.run("node", "plain.mjs");
    expect(code, output).toBe(0);
    expect(await newcomer.run("node", "--conditions=@pillion/source", "plain.mjs")).toEqual({ code, output });
    expect(JSON.parse(output)).toEqual([
      expect.arrayContaining(["defineSidecar", "repeat", "run"]),
      expect.arrayContaining(["findProcesses", "scan"]),
      expect.arrayContaining(["topz"]),
      expect.arrayContaining(["tlsProxy"]),
      expect.arrayContaining(["repoUpdater"]),
      expect.arrayContaining(["configSync"]),
      expect.arrayContaining(["startSidecar"]),
      expect.arrayContaining(["customTlsProxy", "rewriteBody"]),
      expect.arrayContaining(["ChunkedDecoder", "parseRequestHead", "parseResponseHead"]),
      expect.arrayContaining(["Relay", "UpstreamPool", "relayTo"]),
    ]);
  });

  test.for([
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ] as const)("the READMEs' programs compile strictly as %s with %s", async ([module, resolution]) => {
    for (const [file, text] of await programs()) await writeFile(join(project, `${file}.ts`), text);
    await writeFile(join(project, "api.ts"), api);
    const { code, output } = await compile(module, resolution);
    expect(code, output).toBe(0);
    await writeFile(join(project, "wrong.ts"), 'import { topz } from "@pillion/topz";\ntopz({ intervall: "1s" });\n');
    const wrong = await compile(module, resolution);
    await rm(join(project, "wrong.ts"));
    expect(wrong.output).toContain("intervall");
  });

  test("the README's own sidecar runs: it beats, and ends on SIGTERM", async () => {
    const [text] = await typescript(join(repository, "README.md"));
    await writeFile(join(project, "heartbeat.ts"), text ?? "");
    await compile("nodenext", "nodenext");
    await using receiver = await listen();
    const flags = ["--url", receiver.url, "--every", "100ms", "--admin-listen", "127.0.0.1:0"];
    const child = spawn("node", ["nodenext/heartbeat.js", ...flags], { cwd: project, env: newcomer.env });
    const ended = once(child, "exit");
    const [beat] = (await Promise.race([once(receiver.server, "request"), ended])) as [IncomingMessage | number];
    expect(typeof beat === "object" && beat.method).toBe("POST");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });

  test.for(commands)("npx %s says its version and its help, and refuses a flag that it doesn't know", async (name) => {
    expect(await newcomer.run("npx", name, "--version")).toEqual({ code: 0, output: `${name} ${newcomer.version}\n` });
    const help = await newcomer.run("npx", name, "--help");
    expect(help.code).toBe(0);
    expect(help.output).toContain(`Usage: ${name} [options]`);
    const refused = await newcomer.run("npx", name, "--no-such-flag");
    expect(refused.code).toBe(2);
    expect(refused.output).toContain("--no-such-flag: no such option");
  });
});

/** All texts at the ends of a nested object: the files that `exports` names. */
function leaves(value: unknown): string[] {
  return typeof value === "string" ? [value] : Object.values(value as object).flatMap(leaves);
}

/** The TypeScript blocks of the READMEs that are whole programs, each with a name for its file. */
async function programs(): Promise<[string, string][]> {
  const readmes = ["README.md", ...names.map((name) => `packages/${name}/README.md`)];
  const blocks = await Promise.all(readmes.map((readme) => typescript(join(repository, readme))));
  const whole = blocks.flat().filter((text) => !text.includes("startSidecar(watch("));
  expect(whole.length).toBeGreaterThan(names.length);
  return whole.map((text, index) => [`readme-${index}`, text]);
}

async function typescript(readme: string): Promise<string[]> {
  return [...(await readFile(readme, "utf8")).matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text ?? "");
}

async function listen() {
  const server = createServer((_request, response) => response.end());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { server, url, [Symbol.asyncDispose]: async () => void server.close() };
}

/** Every entry as a program in TypeScript would use it. */
const api = `
import { type Sidecar, run } from "@pillion/kit";
import { probe } from "@pillion/kit/healthcheck";
import { startSidecar } from "@pillion/kit/testing";
import { findProcesses, parseProcessQuery } from "@pillion/procfs";
import { configSync } from "@pillion/config-sync";
import { repoUpdater } from "@pillion/repo-updater";
import { tlsProxy } from "@pillion/tls-proxy";
import { customTlsProxy, rewriteBody } from "@pillion/tls-proxy/http-proxy";
import { ChunkedDecoder, RequestHead, parseRequestHead } from "@pillion/tls-proxy/http1";
import { DEFAULT_LIMITS, type Relay, UpstreamPool, relayTo } from "@pillion/tls-proxy/relay";
import { topz } from "@pillion/topz";

export const sidecars: Sidecar[] = [
  topz({ interval: "1s" }),
  tlsProxy({ appPort: 8080 }),
  repoUpdater({ repo: "https://example.com/site.git", root: "/tmp/site" }),
  configSync({ source: "/mnt/config", target: "/tmp/app" }),
  customTlsProxy((proxy) => {
    proxy.on("proxyReq", (toApp) => toApp.setHeader("X-Team", "blue"));
    proxy.on("proxyRes", (fromApp) => rewriteBody(fromApp, (body) => body));
  })({ appPort: 8080 }),
];
export const start: Promise<void> = run(sidecars);
export const name: string = topz.identity.name;
export const head = parseRequestHead(new RequestHead(), Buffer.from("GET / HTTP/1.0\\r\\n\\r\\n"), 0, 18);
export const relay = relayTo({ host: "127.0.0.1", port: 8080 }, { maxBody: DEFAULT_LIMITS.maxBody });
export const parts: [Relay?, UpstreamPool?, ChunkedDecoder?] = [undefined, undefined, new ChunkedDecoder()];
export const used = [probe, startSidecar, findProcesses(parseProcessQuery("name=app"), { self: process.pid })];
`;
