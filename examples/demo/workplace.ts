import { cp, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { git } from "./git.ts";

/** The demo's private directory and what is in it. */
export interface Workplace {
  readonly directory: string;
  /** A clone, for a person to commit and push in. */
  readonly website: string;
  /** The bare repository that the clone pushes to and repo-updater reads. */
  readonly repository: string;
  /** Where a person edits app.xml. */
  readonly config: string;
  /** Where repo-updater publishes: `content/current` is the app's document root. */
  readonly content: string;
  /** Where config-sync publishes: the app reads `etc/app.xml`. */
  readonly etc: string;
  /** Where tls-proxy keeps its development CA. */
  readonly tls: string;
}

const legacyApp = fileURLToPath(new URL("../legacy-app/", import.meta.url));

/** The one file that the app consists of. */
export const serverScript = join(legacyApp, "server.js");

/** Makes the directory, readable for this user only: a repository with one commit, a clone of it, and a configuration. */
export async function makeWorkplace(parent: string, path: string | undefined): Promise<Workplace> {
  const directory = await mkdtemp(join(await realpath(parent), "pillion-demo-"));
  const at = (name: string) => join(directory, name);
  const place: Workplace = {
    directory,
    website: at("website"),
    repository: at("website.git"),
    config: at("config"),
    content: at("content"),
    etc: at("etc"),
    tls: at("tls"),
  };
  try {
    await Promise.all([place.content, place.etc, place.tls].map((name) => mkdir(name)));
    await cp(join(legacyApp, "config"), place.config, { recursive: true });
    await makeRepository(place, path);
    return place;
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function makeRepository({ directory, repository, website }: Workplace, path: string | undefined): Promise<void> {
  await git(directory, path, "-c", "init.defaultBranch=main", "init", "--quiet", "--bare", repository);
  await git(directory, path, "-c", "init.defaultBranch=main", "clone", "--quiet", repository, website);
  const own = {
    "user.name": "Harbor office",
    "user.email": "office@harbor.example",
    "commit.gpgSign": "false",
    "core.hooksPath": "/dev/null",
  };
  for (const [name, value] of Object.entries(own)) await git(website, path, "config", name, value);
  await cp(join(legacyApp, "site"), website, { recursive: true });
  await git(website, path, "add", "--all");
  await git(website, path, "commit", "--quiet", "--message=The noticeboard as it is");
  await git(website, path, "push", "--quiet", "--set-upstream", "origin", "HEAD");
}
