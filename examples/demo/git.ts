import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { systemCode } from "@pillion/kit";

const run = promisify(execFile);

/** Nothing of the user's own configuration, hooks or environment plays a part: a signing key would ask for its password. */
const ENVIRONMENT = { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_TERMINAL_PROMPT: "0" };

/** Runs the machine's git in a directory. @throws with git's own words, or with the remedy where there is none */
export async function git(directory: string, path: string | undefined, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run("git", args, { cwd: directory, env: { PATH: path, ...ENVIRONMENT } });
    return stdout.trim();
  } catch (cause) {
    if (systemCode(cause) === "ENOENT")
      throw new Error("git was not found: the demo's site is a git repository. Install git", { cause });
    throw cause;
  }
}
