import type { ErrorMaker, PillionError } from "@pillion/kit";
import { GitError } from "simple-git";
import { errors } from "./errors.ts";

/** A git command that ended badly; `exitCode` is null when a signal ended it. */
export class GitFailure extends GitError {
  readonly stderr: string;

  constructor(exitCode: number | null, stderr: string) {
    super(undefined, lastWords(stderr) || (exitCode === null ? "ended by a signal" : `exit code ${exitCode}`));
    this.stderr = stderr;
  }
}

/** Turns what a git command threw into an error that its user understands, with git's own words as the cause. */
export function explain(
  error: unknown,
  args: readonly string[],
  { url, ref }: { readonly url: string; readonly ref: string },
): PillionError {
  const said = error instanceof GitFailure ? error.stderr : String(error);
  const known = EXPLANATIONS.find(({ says }) => says.test(said));
  if (!known) {
    const remedy = "Look at git's message; the server, the disk or the network may be the reason";
    return errors.GIT_FAILED({ subject: `git ${args[0]}`, reason: "failed", remedy, cause: error });
  }
  const about = {
    git: ["PATH", undefined],
    ref: ["--ref", ref],
    repo: ["--repo", url],
    root: ["--root", undefined],
  } as const;
  const [subject, value] = about[known.about];
  return known.error({ subject, value, reason: known.reason, remedy: known.remedy, cause: error });
}

interface Explanation {
  readonly says: RegExp;
  readonly error: ErrorMaker;
  readonly about: "git" | "ref" | "repo" | "root";
  readonly reason: string;
  readonly remedy: string;
}

/** What git, curl and ssh print in the C locale; the first that fits counts. */
const EXPLANATIONS: readonly Explanation[] = [
  {
    says: /spawn git ENOENT/,
    error: errors.GIT_NOT_FOUND,
    about: "git",
    reason: "no program called git is on it",
    remedy: "Install git, or set PATH",
  },
  {
    says: /No space left on device|Disk quota exceeded|Read-only file system|: Permission denied$|insufficient permission|File name too long/im,
    error: errors.ROOT_UNUSABLE,
    about: "root",
    reason: "git can't write to it",
    remedy: "Make room in it, and make it writable for this user",
  },
  {
    says: /dubious ownership/,
    error: errors.REPOSITORY_UNTRUSTED,
    about: "repo",
    reason: "belongs to another user, and git doesn't read such a repository",
    remedy: "Give it to the user that this process runs as, or have it served",
  },
  {
    says: /SSL CA cert|error setting certificate/i,
    error: errors.REPOSITORY_UNTRUSTED,
    about: "repo",
    reason: "the certificates that the server's is checked against can't be read",
    remedy: "Check the file that GIT_SSL_CAINFO names, and its permissions",
  },
  {
    says: /SSL certificate problem|certificate verif|server verification failed|unable to get local issuer|no alternative certificate/i,
    error: errors.REPOSITORY_UNTRUSTED,
    about: "repo",
    reason: "the server's certificate isn't trusted",
    remedy: "Set GIT_SSL_CAINFO to the certificate of the authority that signed it",
  },
  {
    says: /host key verification failed/i,
    error: errors.REPOSITORY_UNTRUSTED,
    about: "repo",
    reason: "the server's host key isn't known",
    remedy: "Put it into /etc/ssh/ssh_known_hosts, or into .ssh/known_hosts in the home directory of this user",
  },
  {
    says: /No user exists for uid/,
    error: errors.REPOSITORY_UNREACHABLE,
    about: "repo",
    reason: "ssh doesn't run for a user that isn't in /etc/passwd",
    remedy: "Run as a user that is; in the image that is 65532",
  },
  {
    says: /Authentication failed|could not read (?:Username|Password)|returned error: 40[13]|Permission denied \(/,
    error: errors.REPOSITORY_ACCESS_DENIED,
    about: "repo",
    reason: "the server refuses access with these credentials, or without any",
    remedy: "Check --username and the password; some servers answer so for a repository that doesn't exist, too",
  },
  {
    says: /returned error: 30\d/,
    error: errors.REPOSITORY_UNREACHABLE,
    about: "repo",
    reason: "the server redirects, and credentials aren't taken along",
    remedy: "Give the URL that it redirects to",
  },
  {
    says: /couldn't find remote ref|not our ref|unadvertised object|expected commit type/i,
    error: errors.REF_NOT_FOUND,
    about: "ref",
    reason: "the repository has no such branch, tag or commit, or the server doesn't give it",
    remedy: "Check --ref; a commit has to be given with its full hash",
  },
  {
    says: /does not appear to be a git repository|repository '.*' not found|Repository not found|repository not exported|does not exist|is this a git repository/,
    error: errors.REPOSITORY_NOT_FOUND,
    about: "repo",
    reason: "there is no git repository, or this user doesn't get to see it",
    remedy: "Check --repo, and give credentials if it isn't public",
  },
  {
    says: /Could not resolve (?:host|proxy)|Name or service not known|unable to look up|failure in name resolution/i,
    error: errors.REPOSITORY_UNREACHABLE,
    about: "repo",
    reason: "the server's name can't be resolved",
    remedy: "Check the host in --repo, and DNS",
  },
  {
    says: /Failed to connect|Couldn't connect|unable to connect|Connection (?:refused|timed out|reset|closed)|No route to host|Network is unreachable|timed out|Empty reply|Recv failure|early EOF|unexpected disconnect|hung up|returned error: (?:429|5\d\d)|SSL_ERROR_SYSCALL|gnutls_handshake|bad line length/i,
    error: errors.REPOSITORY_UNREACHABLE,
    about: "repo",
    reason: "the server can't be reached, or broke off",
    remedy: "Check the host and port in --repo, the network, and the proxy if there is one",
  },
];

/** The longest that git's words get in a message. */
const LONGEST = 500;

/** The lines that say what went wrong, without hints and progress. */
function lastWords(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter(Boolean);
  const telling = lines.filter((line) => /^(?:fatal|error|remote|ssh|ERROR):/.test(line));
  return (telling.length > 0 ? telling : lines.slice(-1)).join(" ").slice(0, LONGEST);
}
