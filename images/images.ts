import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../", import.meta.url));

export interface Image {
  readonly name: string;
  /** Relative to the repository, as the others. */
  readonly context: string;
  readonly dockerfile: string;
  /** Its stage, where a Dockerfile has several. */
  readonly target?: string;
}

/** The sidecars and the owner of a group, then the app and the git server of the demo. The first one needs every stage. */
export const images: readonly Image[] = [
  ...["repo-updater", "topz", "tls-proxy", "config-sync", "pause"].map((name) => ({
    name,
    context: ".",
    dockerfile: "images/Dockerfile",
    target: name,
  })),
  ...["legacy-app", "git-server"].map((name) => ({
    name,
    context: "examples",
    dockerfile: `examples/${name}/Dockerfile`,
  })),
];

/** The version of the family: its packages move together. */
export async function versionOf(): Promise<string> {
  const manifest = await readFile(new URL("../packages/kit/package.json", import.meta.url), "utf8");
  return JSON.parse(manifest).version;
}

/** Path components behind an optional host: `name` in the grammar of github.com/distribution/reference. */
export function isRepositoryName(text: string): boolean {
  const component = /[a-z\d]+(?:(?:[._]|__|-+)[a-z\d]+)*/.source;
  // Engines take what stands before the first slash for a host if it has a dot or a port, or is localhost
  const host = /localhost(?::\d+)?|[\w-]*\.[\w.-]*(?::\d+)?|[\w-]+:\d+/.source;
  return new RegExp(`^(?:(?:${host})/)?${component}(?:/${component})*$`).test(text);
}
