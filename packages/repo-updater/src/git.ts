import { type SimpleGitOptions, simpleGit } from "simple-git";
import { errors } from "./errors.ts";
import { type Variables, gitEnvironment } from "./git-environment.ts";
import { GitFailure, explain } from "./git-failure.ts";
import { killMarked } from "./marked-processes.ts";
import type { Credentials } from "./repository-url.ts";

/** The most that a command may print, bytes: simple-git keeps all of it in memory. */
const MOST_OUTPUT = 1024 * 1024;

/** Where the content comes from. */
export interface Source {
  /** Without credentials. */
  readonly url: string;
  readonly ref: string;
  /** Read anew for each command, as a secret's file may have changed. */
  readonly credentials: () => Credentials | undefined;
}

export interface GitOptions {
  /** Absolute, free of links. */
  readonly root: string;
  readonly source: Source;
  /** Our own environment. */
  readonly environment: Variables;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** The repository to work in, or the worktree that leads to one. Neither: none. */
  readonly gitDirectory?: string;
  readonly worktree?: string;
  /** Whether the command talks to the server, and so needs the credentials. */
  readonly remote?: boolean;
}

/** Runs git, through simple-git, in an environment that is closed to everything but what we say. */
export class Git {
  readonly #options: GitOptions;
  /** Every process of ours carries it, and so do its children. */
  readonly #mark: readonly [name: string, value: string];

  constructor(options: GitOptions) {
    this.#options = options;
    this.#mark = ["PILLION_GIT_ROOT", options.root];
  }

  /**
   * Resolves with what git printed. When the signal aborts, git and everything that it started is killed before this
   * rejects with the signal's reason: simple-git itself would signal git alone, and git-remote-https would stay. A
   * command that prints nothing takes 50 ms longer than it has to (simple-git's completion plugin), so few are silenced.
   *
   * @throws one of errors.ts
   */
  async run(args: readonly string[], { signal, gitDirectory, worktree, remote }: RunOptions): Promise<string> {
    const { root, source, environment } = this.#options;
    const credentials = remote ? source.credentials() : undefined;
    const [name, value] = this.#mark;
    const variables = {
      ...gitEnvironment(environment, { root, gitDirectory }, source.url, credentials),
      [name]: value,
    };
    const tooMuch = new AbortController();
    const abort = AbortSignal.any([signal, tooMuch.signal]);
    abort.throwIfAborted();
    let killed: Promise<unknown> = Promise.resolve();
    const kill = () => void (killed = this.killAll());
    abort.addEventListener("abort", kill, { once: true });
    try {
      return await simpleGit({
        ...SETTINGS,
        baseDir: worktree ?? root,
        abort,
        allowEnvironment: Object.keys(variables),
      })
        .env(variables)
        .outputHandler((_command, stdout, stderr) => limit([stdout, stderr], () => tooMuch.abort()))
        .raw([...args]);
    } catch (error) {
      await killed;
      signal.throwIfAborted();
      throw tooMuch.signal.aborted ? excessive(args) : explain(error, args, source);
    } finally {
      abort.removeEventListener("abort", kill);
    }
  }

  /** Kills what still runs for this root, also what an earlier run of ours left behind. */
  async killAll(): Promise<number> {
    return await killMarked(this.#mark.join("="));
  }
}

/**
 * simple-git's guard is for callers that hand on other people's arguments. Ours are constants and a URL and a ref that
 * options.ts has checked, and the guard takes `http.https://alias.example.com/.extraHeader` for an alias.
 */
const UNGUARDED: Required<NonNullable<SimpleGitOptions["unsafe"]>> = {
  allowAbbreviatedOptions: false,
  allowUnsafeCustomBinary: false,
  allowUnsafeAlias: true,
  allowUnsafeAskPass: true,
  allowUnsafeCommandBinaries: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeDiffTextConv: true,
  allowUnsafeEditor: true,
  allowUnsafeExec: true,
  allowUnsafeFilter: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeGitProxy: true,
  allowUnsafeGpgProgram: true,
  allowUnsafeHooksPath: true,
  allowUnsafeInclude: true,
  allowUnsafeMergeDriver: true,
  allowUnsafePack: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeSubmodule: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeUrlRewrite: true,
};

const SETTINGS: Partial<SimpleGitOptions> = {
  unsafe: UNGUARDED,
  // simple-git takes a failure that prints nothing, and a git that was killed, for a success.
  errors: (error, { exitCode, stdErr }) =>
    error === undefined && exitCode === 0 ? undefined : new GitFailure(exitCode, Buffer.concat(stdErr).toString()),
};

function limit(streams: readonly NodeJS.ReadableStream[], onExcess: () => void): void {
  let bytes = 0;
  for (const stream of streams) {
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_OUTPUT) onExcess();
    });
  }
}

function excessive(args: readonly string[]): Error {
  const remedy = "Look at what the server answers to it";
  return errors.GIT_FAILED({
    subject: `git ${args[0]}`,
    reason: `printed more than ${MOST_OUTPUT} bytes, and was stopped`,
    remedy,
  });
}
