import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Need, failure } from "./available.ts";
import { repository } from "../../test/working-copy.ts";

const run = promisify(execFile);

/** One of the two programs that read a docker-compose.yml. */
export interface Compose extends Need {
  readonly title: string;
  /** Runs it in the repository. Resolves with both its streams. @throws with its own words */
  run(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string>;
}

const plugin = process.env["COMPOSE_V2"];

export const composes: readonly Compose[] = [
  compose("compose-v1", "docker-compose 1.29", ["docker-compose"], /^1\./),
  compose("compose-v2", "Compose v2", plugin ? [plugin] : ["docker", "compose"], /^v?(?!1\.)\d/),
];

function compose(name: string, title: string, command: readonly string[], versions: RegExp): Compose {
  const [file = "", ...before] = command;
  const call: Compose["run"] = async (args, environment) => {
    const options = { cwd: repository, env: { ...process.env, ...environment }, maxBuffer: 2 ** 26 };
    const { stdout, stderr } = await run(file, [...before, ...args], options);
    return stdout + stderr;
  };
  const checkVersion = async () => {
    const version = await call(["version", "--short"], {});
    if (!versions.test(version.trim())) throw new Error(`${command.join(" ")} is ${version.trim()}`);
  };
  const remedy =
    plugin || name === "compose-v1" ? `install ${title}` : `install ${title}, or name its file in COMPOSE_V2`;
  return { name, title, run: call, lacking: () => failure(checkVersion(), remedy) };
}
