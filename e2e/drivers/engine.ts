import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Every container that a test makes has this label; its value is the test's process id. */
export const LABEL = "pillion.e2e";

/** Runs the engine's client. Resolves with what it wrote to stdout. @throws with its own words */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run("docker", args, { maxBuffer: 2 ** 26 });
  return stdout.trim();
}

/** Both streams of a container, of all its starts. */
export async function containerLog(id: string): Promise<string> {
  const { stdout, stderr } = await run("docker", ["logs", id], { maxBuffer: 2 ** 26 });
  return stdout + stderr;
}

/** Removes containers, running or not, and the volumes that only they had. */
export async function removeContainers(ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await docker("rm", "--force", "--volumes", ...ids);
}

/** Removes what tests left that were killed before they could. */
export async function removeLeftovers(): Promise<void> {
  const format = `{{.ID}} {{.Label "${LABEL}"}}`;
  const lines = await docker("ps", "--all", "--filter", `label=${LABEL}`, "--format", format);
  const left = lines.split("\n").map((line) => line.split(" "));
  await removeContainers(left.flatMap(([id, owner]) => (id && !isRunning(Number(owner)) ? [id] : [])));
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
