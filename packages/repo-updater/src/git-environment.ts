import { join } from "node:path";
import { type Credentials, PROTOCOLS } from "./repository-url.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/** What git and its transports may see of our own environment: where programs, proxies, agents and certificates are. */
const PASSED_ON = [
  "PATH",
  "TMPDIR",
  "SSH_AUTH_SOCK",
  "GIT_SSL_CAINFO",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "all_proxy",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "ALL_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
];

/** Command scope, which beats whatever a .git/config says (git-config(1), "ENVIRONMENT"). */
const CONFIGURATION = {
  // Nothing that a repository brings is ever run.
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "submodule.recurse": "false",
  "fetch.recurseSubmodules": "false",
  // A volume may not keep the executable bit, and may have another owner than the process.
  "core.fileMode": "false",
  "safe.directory": "*",
  // No background work that outlives the command.
  "gc.autoDetach": "false",
  "maintenance.auto": "false",
  // Given refs only: credential helpers come from nowhere.
  "credential.helper": "",
  "advice.detachedHead": "false",
  "init.defaultBranch": "main",
};

export interface GitPlace {
  readonly root: string;
  /** The repository to work in; left out: the one that the working directory belongs to. */
  readonly gitDirectory?: string | undefined;
}

/** The whole environment of a git command: closed to system and user configuration, to prompts and to other protocols. */
export function gitEnvironment(
  ambient: Variables,
  { root, gitDirectory }: GitPlace,
  url: string,
  credentials?: Credentials,
): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => (ambient[name] === undefined ? [] : [[name, ambient[name]] as const]));
  return {
    ...Object.fromEntries(passed),
    LC_ALL: "C",
    GIT_ALLOW_PROTOCOL: PROTOCOLS.join(":"),
    GIT_ATTR_NOSYSTEM: "1",
    GIT_CEILING_DIRECTORIES: join(root, ".worktrees"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_SSH_COMMAND: "ssh -o BatchMode=yes",
    ...(gitDirectory !== undefined && { GIT_DIR: gitDirectory }),
    ...configured({ ...CONFIGURATION, ...(credentials && authorization(url, credentials)) }),
  };
}

/** git-config(1): GIT_CONFIG_COUNT, with GIT_CONFIG_KEY_n and GIT_CONFIG_VALUE_n. */
function configured(settings: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(settings);
  const pairs = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(entries.length), ...Object.fromEntries(pairs) };
}

/** RFC 7617, for the URL's own origin. Git would take the header along to where it is redirected, so it isn't redirected. */
function authorization(url: string, { username, password }: Credentials): Record<string, string> {
  const encoded = Buffer.from(`${username}:${password}`).toString("base64");
  return {
    [`http.${new URL(url).origin}/.extraHeader`]: `Authorization: Basic ${encoded}`,
    "http.followRedirects": "false",
  };
}
