import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A directory of its own for a test. `await using` removes it. */
export async function scratch(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "repo-updater-")));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Runs git as a developer would, in an environment of its own. */
export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_COUNT: "0" };
  const identity = [
    "-c",
    "user.name=Developer",
    "-c",
    "user.email=developer@example.com",
    "-c",
    "protocol.file.allow=always",
  ];
  const { stdout } = await run("git", [...identity, ...args], { cwd: directory, env });
  return stdout.trim();
}

/** A bare repository that is pushed to from a clone. */
export class Upstream {
  /** The bare repository. */
  readonly path: string;
  readonly clone: string;

  constructor(directory: string, name = "content") {
    this.path = join(directory, `${name}.git`);
    this.clone = join(directory, `${name}-developer`);
  }

  static async create(directory: string, name?: string): Promise<Upstream> {
    const upstream = new Upstream(directory, name);
    await git(directory, "init", "--quiet", "--bare", "--initial-branch=main", upstream.path);
    await git(directory, "clone", "--quiet", upstream.path, upstream.clone);
    await git(upstream.clone, "checkout", "--quiet", "-b", "main");
    return upstream;
  }

  /** Writes the files, commits and pushes the branch that is checked out. Resolves with the commit's hash. */
  async push(files: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<string> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.clone, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    await git(this.clone, "add", "--all");
    await git(this.clone, "commit", "--quiet", "--allow-empty", "--message=change");
    await git(this.clone, "push", "--quiet", ...options, "origin", "HEAD");
    return await git(this.clone, "rev-parse", "HEAD");
  }
}

/** So many files with the same text that a torn tree would show. */
export function manyFiles(text: string, count = 40): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`part-${index % 4}/file-${index}`, text]));
}

/** The different texts of all files that are seen through the link, which is resolved once; undefined while it changes. */
export async function textsThrough(link: string): Promise<readonly string[] | undefined> {
  try {
    const tree = await realpath(link);
    const entries = await readdir(tree, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name !== ".git");
    const texts = await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), "utf8")));
    return [...new Set([...texts, `files: ${files.length}`])];
  } catch {
    // The tree was replaced and removed meanwhile.
    return undefined;
  }
}
