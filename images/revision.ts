import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { repository, versionOf } from "./images.ts";

const run = promisify(execFile);

export interface Revision {
  readonly version: string;
  /** For a person. */
  readonly description: string;
  readonly buildArguments: Readonly<Record<string, string>>;
}

/**
 * What is built, from git. All times in the images are the commit's, so that two builds of one commit are the same
 * (reproducible-builds.org, SOURCE_DATE_EPOCH). Without git, as in an unpacked archive, the commit is unknown.
 */
export async function revision(): Promise<Revision> {
  const version = await versionOf();
  const [commit, seconds] = (await git("log", "-1", "--format=%H %ct")).split(" ");
  const epoch = Number(seconds ?? 0);
  const changed = commit && (await git("status", "--porcelain")) !== "";
  return {
    version,
    description: commit
      ? `${version} at ${commit.slice(0, 12)}${changed ? " with changes" : ""}`
      : `${version}, no commit`,
    buildArguments: {
      VERSION: version,
      REVISION: commit ? `${commit}${changed ? "-dirty" : ""}` : "unknown",
      CREATED: new Date(epoch * 1000).toISOString().replace(".000Z", "Z"),
      SOURCE_DATE_EPOCH: `${epoch}`,
    },
  };
}

async function git(...args: readonly string[]): Promise<string> {
  try {
    return (await run("git", ["-C", repository, ...args])).stdout.trim();
  } catch {
    return "";
  }
}
