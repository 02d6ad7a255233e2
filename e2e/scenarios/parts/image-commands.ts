import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { LABEL, docker, removeContainers } from "../../drivers/engine.ts";
import { freePorts } from "../../drivers/free-ports.ts";
import type { Group } from "../../drivers/driver.ts";

const run = promisify(execFile);

/** The `docker run` commands of our images in the shell blocks of a README, each in one line and without its comment. */
export function imageCommands(readme: string): string[] {
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = ""]) => block.replaceAll(/\\\n\s*/g, ""));
  const lines = blocks.flatMap((block) => block.split("\n")).map((line) => line.replace(/\s+#.*/, "").trim());
  return lines.filter((line) => /^docker run .*\bpillion\//.test(line));
}

/** A container of a README's command. */
export interface CommandContainer extends AsyncDisposable {
  readonly id: string;
  /** Where the first port that it publishes is reached: `127.0.0.1:P`. */
  readonly address: string;
}

/**
 * Runs a README's command in a group's directory, in a shell. What it calls an app is the group. Its names, ports and volumes
 * get others, so that it disturbs nobody; a repository on the web is the one in the directory; and it is probed often.
 */
export async function runCommand(command: string, group: Group): Promise<CommandContainer> {
  const { directory } = group.places;
  const [port = 0] = await freePorts(1);
  const prefix = `pillion-e2e-${port}-`;
  const adapted = command
    .replaceAll(/ (?:--rm|-d|--detach|-i?t|--name[= ]\S+)(?= )/g, "")
    .replaceAll(/(--(?:pid|network))[= ]container:\S+/g, `$1=container:${await ownerOf(group)}`)
    .replaceAll(/(-p|--publish)[= ](?:\S+:)?(\d+)(?= )/g, `$1 127.0.0.1:${port}:$2`)
    .replaceAll(/(-v|--volume)[= ](?=\w)/g, `$1 ${prefix}`)
    .replaceAll(/https:\/\/\S+\.git/g, "/website.git")
    .replace(
      "docker run",
      `docker run -d --label=${LABEL}=${process.pid} --health-interval=1s -v ${directory}/website.git:/website.git:ro`,
    );
  const { stdout } = await run("sh", ["-c", adapted], { cwd: directory });
  const id = stdout.trim();
  return {
    id,
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await removeContainers([id]);
      const volumes = await docker("volume", "ls", "--quiet", `--filter=name=${prefix}`);
      if (volumes) await docker("volume", "rm", ...volumes.split("\n"));
    },
  };
}

/** The container whose network and PID namespace the group's members have. */
async function ownerOf({ places }: Group): Promise<string> {
  const app = await docker("ps", "--quiet", `--filter=volume=${places.directory}`);
  return (await docker("inspect", "--format={{.HostConfig.NetworkMode}}", app)).replace("container:", "");
}

/** The exit codes of an engine's last five probes of a container, oldest first. */
export async function probes(id: string): Promise<number[]> {
  const log = await docker("inspect", "--format={{range .State.Health.Log}}{{.ExitCode}} {{end}}", id);
  return log.split(" ").filter(Boolean).map(Number);
}
