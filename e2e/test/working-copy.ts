import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readlink, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

export const repository = join(import.meta.dirname, "../..");

/** A place where the project may be changed: its files as they are now, built, with the installed packages. */
export interface WorkingCopy extends AsyncDisposable {
  readonly directory: string;
  /** Runs one of the project's commands in the copy, or in a directory of it. */
  run(
    command: string,
    args: readonly string[],
    options?: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
  ): Promise<string>;
}

export async function makeWorkingCopy(): Promise<WorkingCopy> {
  const directory = await mkdtemp(join(tmpdir(), "pillion-copy-"));
  const { stdout } = await exec("git", ["ls-files", "-co", "--exclude-standard", "--deduplicate"], { cwd: repository });
  const files = stdout.split("\n").filter(Boolean);
  const built = files
    .filter((file) => /^packages\/[^/]+\/package\.json$/.test(file))
    .map((file) => join(dirname(file), "dist"));
  for (const path of [...files, ...built]) await cp(join(repository, path), join(directory, path), { recursive: true });
  await linkModules(directory);
  return {
    directory,
    async run(command, args, { cwd = "", env = process.env } = {}) {
      const path = `${join(directory, "node_modules/.bin")}:${env["PATH"]}`;
      return (await exec(command, [...args], { cwd: join(directory, cwd), env: { ...env, PATH: path } })).stdout;
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

const exec = promisify(execFile);

/** Installed packages are shared with the original; the project's own lead to the copy. */
async function linkModules(directory: string): Promise<void> {
  const [from, to] = [join(repository, "node_modules"), join(directory, "node_modules")];
  await mkdir(join(to, "@pillion"), { recursive: true });
  const installed = (await readdir(from)).filter((name) => name !== "@pillion");
  for (const name of installed) await symlink(join(from, name), join(to, name));
  for (const name of await readdir(join(from, "@pillion"))) {
    await symlink(await readlink(join(from, "@pillion", name)), join(to, "@pillion", name));
  }
}
