import { join, relative, resolve } from "node:path";
import { type Values, defineOptions } from "@pillion/kit";
import { refName } from "./ref.ts";
import { isHttp, repositoryName, repositoryUrl, splitCredentials } from "./repository-url.ts";

/** Node's timers hold no more, milliseconds. */
const LONGEST = 2 ** 31 - 1;

export const options = defineOptions(
  {
    repo: { type: repositoryUrl, required: true, group: "What", help: "The repository to follow." },
    ref: {
      type: refName,
      default: "HEAD",
      group: "What",
      help: "Branch, tag, refs/… or full commit hash; a branch comes before a tag.",
    },
    depth: {
      type: "integer",
      default: "1",
      min: 0,
      max: LONGEST,
      group: "What",
      help: "Commits of history to fetch; 0: all.",
    },
    root: {
      type: "path",
      required: true,
      group: "Where",
      help: "Directory for the repository and its worktrees; made if missing.",
    },
    link: {
      type: "string",
      group: "Where",
      help: "The link to the current worktree, relative to --root or absolute. Default: the last part of --repo without .git.",
    },
    staleWorktreeTimeout: {
      type: "duration",
      default: "0s",
      group: "Where",
      help: "How long a worktree is kept after its replacement.",
    },
    period: {
      type: "duration",
      default: "10s",
      min: 10,
      max: LONGEST,
      group: "When",
      help: "Time between two rounds.",
    },
    once: { type: "boolean", aliases: ["one-time"], group: "When", help: "End after the first round that succeeds." },
    syncTimeout: {
      type: "duration",
      default: "120s",
      min: 10,
      max: LONGEST,
      group: "When",
      help: "The longest that a round may take.",
    },
    maxFailures: {
      type: "integer",
      group: "When",
      help: "Failures in a row after which to exit; 0 is the same as 1, below 0: never. Default: 1 with --once, else never.",
    },
    username: { type: "string", group: "Credentials", help: "User name for HTTP; needs a password." },
    password: {
      type: "secret",
      group: "Credentials",
      help: "Password or token for HTTP; a file is read anew each round.",
    },
  },
  (values, problem) => {
    const { repo, root, username, password } = values;
    if (repo !== undefined && root !== undefined) {
      const reason = linkProblem(root, values.link ?? repositoryName(repo));
      if (reason) problem("link", reason, "Give a name of its own, such as current");
    }
    if (username !== undefined && !password)
      problem(["username", "password"], "has no password", "Set REPO_UPDATER_PASSWORD or --password-file");
    if (password && username === undefined)
      problem(["password", "username"], "has no user name", "Give --username, too; most servers take any for a token");
    if (username?.includes(":"))
      problem("username", "holds a colon, which ends a user name in HTTP (RFC 7617)", "Leave it out");
    if (repo === undefined || (username === undefined && !password)) return;
    if (!isHttp(repo))
      problem("username", "is for http:// and https:// only", "Give an HTTP URL, or no user name and password");
    else if (splitCredentials(repo).credentials)
      problem("username", "given, and --repo holds credentials as well", "Take these out of the URL");
  },
);

export type RepoUpdaterValues = Values<typeof options.table>;

/** The link as an absolute path. */
export function linkPath({ root, link, repo }: Pick<RepoUpdaterValues, "root" | "link" | "repo">): string {
  return resolve(root, link ?? repositoryName(repo));
}

/** What git and the worktrees occupy in the root. */
const RESERVED = [".git", ".git.discarded", ".git.making", ".worktrees", ".worktrees.spare"];

function linkProblem(root: string, link: string): string | undefined {
  if (link === "") return "the repository's URL has no last part to name it after";
  const path = resolve(root, link);
  const toRoot = relative(path, root);
  if (toRoot === "" || !toRoot.startsWith("..")) return "would stand in the place of the root";
  const taken = RESERVED.find((name) => !relative(join(root, name), path).startsWith(".."));
  return taken && `${join(root, taken)} is used by repo-updater itself`;
}
