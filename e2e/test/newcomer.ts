import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startLocalRegistry } from "./local-registry.ts";
import { makeWorkingCopy, repository } from "./working-copy.ts";

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Somebody with an empty project and an empty home, who has installed packages from a registry. */
export interface Newcomer extends AsyncDisposable {
  /** The directory of the project. */
  readonly project: string;
  readonly env: NodeJS.ProcessEnv;
  /** The version that was published. */
  readonly version: string;
  /** Where the file is that the registry was given: `kit` stands for `@pillion/kit`. */
  tarball(name: string): string;
  /** Runs a command in the project. */
  run(command: string, ...args: string[]): Promise<Outcome>;
}

/** Packs and publishes what is here as a release does, to a registry on loopback, and installs it from there. */
export async function installFromRegistry(names: readonly string[]): Promise<Newcomer> {
  await using made = new AsyncDisposableStack();
  const copy = made.use(await makeWorkingCopy());
  const { env } = made.use(await startLocalRegistry());
  const packed = join(copy.directory, "packed");
  await copy.run("changeset", ["pack", "--out-dir", packed], { env });
  await copy.run("changeset", ["publish", "--from-pack-dir", packed, "--no-git-tag"], { env });
  const project = await mkdtemp(join(tmpdir(), "pillion-newcomer-"));
  made.defer(() => rm(project, { recursive: true, force: true }));
  await writeFile(join(project, "package.json"), JSON.stringify({ type: "module" }));
  await install(project, env, [...names.map((name) => `@pillion/${name}`), "@types/node"]);
  const { version } = JSON.parse(await readFile(join(repository, "packages/kit/package.json"), "utf8"));
  const all = made.move();
  return {
    project,
    env,
    version,
    tarball: (name) => join(packed, `packages/pillion-${name}-${version}.tgz`),
    run: (command, ...args) =>
      exec(command, args, { cwd: project, env }).then(
        ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
        ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
      ),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const exec = promisify(execFile);

/** For a package that it couldn't fetch in time verdaccio says that there is none, and npm doesn't ask again. */
async function install(project: string, env: NodeJS.ProcessEnv, packages: readonly string[]): Promise<void> {
  const attempt = () => exec("npm", ["install", ...packages], { cwd: project, env });
  await attempt().catch((error: Error) => {
    if (!error.message.includes("E404")) throw error;
    return attempt();
  });
}
