import { expect, test } from "vitest";
import { GitFailure, explain } from "./git-failure.ts";

const about = { url: "https://host/x.git", ref: "main" };
const codeOf = (stderr: string) => explain(new GitFailure(128, stderr), ["fetch"], about).code;

test.for<[string, string]>([
  ["fatal: repository 'https://host/x.git/' not found", "REPOSITORY_NOT_FOUND"],
  [
    "fatal: '/srv/x' does not appear to be a git repository\nfatal: Could not read from remote repository.",
    "REPOSITORY_NOT_FOUND",
  ],
  ["ERROR: Repository not found.\nfatal: Could not read from remote repository.", "REPOSITORY_NOT_FOUND"],
  ["fatal: remote error: access denied or repository not exported: /x", "REPOSITORY_NOT_FOUND"],
  ["fatal: could not read Username for 'https://host': terminal prompts disabled", "REPOSITORY_ACCESS_DENIED"],
  ["fatal: Authentication failed for 'https://host/x.git/'", "REPOSITORY_ACCESS_DENIED"],
  ["fatal: unable to access 'https://host/': The requested URL returned error: 403", "REPOSITORY_ACCESS_DENIED"],
  [
    "git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.",
    "REPOSITORY_ACCESS_DENIED",
  ],
  ["Host key verification failed.\nfatal: Could not read from remote repository.", "REPOSITORY_UNTRUSTED"],
  ["fatal: unable to access 'https://host/': SSL certificate problem: self-signed certificate", "REPOSITORY_UNTRUSTED"],
  [
    "fatal: unable to access 'https://h/': server verification failed: certificate signer not trusted. (CAfile: x CRLfile: none)",
    "REPOSITORY_UNTRUSTED",
  ],
  ["fatal: unable to access 'https://h/': Problem with the SSL CA cert (path? access rights?)", "REPOSITORY_UNTRUSTED"],
  ["No user exists for uid 31337\r\nfatal: Could not read from remote repository.", "REPOSITORY_UNREACHABLE"],
  ["fatal: detected dubious ownership in repository at '/srv/x.git'", "REPOSITORY_UNTRUSTED"],
  ["fatal: unable to access 'https://host/': Could not resolve host: host", "REPOSITORY_UNREACHABLE"],
  [
    "fatal: unable to access 'http://host/': Failed to connect to host port 80: Connection refused",
    "REPOSITORY_UNREACHABLE",
  ],
  ["fatal: unable to access 'https://host/': The requested URL returned error: 502", "REPOSITORY_UNREACHABLE"],
  [
    "ssh: connect to host h port 22: Connection timed out\nfatal: Could not read from remote repository.",
    "REPOSITORY_UNREACHABLE",
  ],
  ["fatal: the remote end hung up unexpectedly\nfatal: early EOF", "REPOSITORY_UNREACHABLE"],
  ["fatal: couldn't find remote ref refs/heads/main", "REF_NOT_FOUND"],
  ["fatal: remote error: upload-pack: not our ref 0123", "REF_NOT_FOUND"],
  ["error: unable to write file a\nfatal: write error: No space left on device", "ROOT_UNUSABLE"],
  ["fatal: Unable to create '/r/.git/shallow.lock': Permission denied", "ROOT_UNUSABLE"],
  ["Error: spawn git ENOENT\n    at ChildProcess", "GIT_NOT_FOUND"],
  ["fatal: bad object refs/repo-updater/head", "GIT_FAILED"],
  ["", "GIT_FAILED"],
])("%j is %s", ([stderr, code]) => {
  expect(codeOf(stderr)).toBe(code);
});

test("the message names the option and what to do, the cause has git's own words, and neither shows a password", () => {
  const said = "hint: x\nfatal: unable to access 'https://me:secret@host/': Could not resolve host: host\n";
  const error = explain(new GitFailure(128, said), ["fetch"], { ...about, url: "https://me:secret@host/x" });
  expect(error.message).toMatch(
    /^--repo "https:\/\/\[redacted\]@host\/x": the server's name can't be resolved\. Check/,
  );
  expect((error.cause as Error).message).toMatch(/^fatal: unable to access/);
});

test("a failure without a word has a reason, too", () => {
  expect(new GitFailure(1, "").message).toBe("exit code 1");
  expect(new GitFailure(null, "").message).toBe("ended by a signal");
});
