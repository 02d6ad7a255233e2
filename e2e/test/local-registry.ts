import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { runServer } from "verdaccio";

/** An npm registry on loopback with a storage of its own, and the account of somebody who has used npm never before. */
export interface LocalRegistry extends AsyncDisposable {
  readonly url: string;
  /** For npm and what it starts: an empty home with this registry; the machine's Node, and nothing of this repository. */
  readonly env: NodeJS.ProcessEnv;
}

export async function startLocalRegistry(): Promise<LocalRegistry> {
  const directory = await mkdtemp(join(tmpdir(), "pillion-registry-"));
  const [registry, cafile, proxy] = await Promise.all([setting("registry"), setting("cafile"), setting("https-proxy")]);
  const server: Server = await runServer({
    storage: join(directory, "storage"),
    self_path: directory,
    log: { type: "stdout", level: "fatal" },
    web: { enable: false },
    max_body_size: "50mb",
    uplinks: {
      machine: {
        url: registry ?? "",
        max_fails: 100,
        timeout: "60s",
        // the text: for a path it would ask with no authority at all
        ...(cafile && { ca: await readFile(cafile, "utf8") }),
        ...(proxy && { https_proxy: proxy }),
      },
    },
    packages: {
      "@pillion/*": { access: ["$all"], publish: ["$all"] },
      "**": { access: ["$all"], proxy: ["machine"] },
    },
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    env: await newcomer(join(directory, "home"), url),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Why packages that aren't this project's can't be had here; nothing when they can. */
export async function whyNoRegistry(): Promise<string | undefined> {
  return await npm("view", "@types/node", "version", "--fetch-retries=0", "--fetch-timeout=10000").then(
    () => undefined,
    (error: Error & { stderr?: string }) => `npm's registry doesn't answer: ${error.stderr?.trim() || error.message}`,
  );
}

/** What npm is configured with on this machine. */
async function setting(name: string): Promise<string | undefined> {
  const value = await npm("config", "get", name);
  return value === "null" || value === "undefined" || value === "" ? undefined : value;
}

async function npm(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("npm", ["--loglevel=error", ...args], { cwd: tmpdir() });
  return stdout.trim();
}

async function newcomer(home: string, registry: string): Promise<NodeJS.ProcessEnv> {
  const programs = join(home, "bin");
  await mkdir(programs, { recursive: true });
  await symlink(process.execPath, join(programs, "node"));
  // npm sends no package without a token; this registry takes any
  await writeFile(join(home, ".npmrc"), `registry=${registry}\n${registry.replace("http:", "")}:_authToken=anybody\n`);
  const others = (process.env["PATH"] ?? "").split(delimiter).filter((entry) => !entry.includes("node_modules"));
  return {
    PATH: [programs, ...others].join(delimiter),
    HOME: home,
    npm_config_prefix: join(home, "prefix"),
    npm_config_globalconfig: join(home, "prefix/npmrc"),
    npm_config_update_notifier: "false",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
}
