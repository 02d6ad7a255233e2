import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { sidecarNames } from "./driver.ts";
import { isRunning } from "./engine.ts";
import { NETWORK, podmanIn, setUpPodman } from "./podman.ts";

/** Where this run's podman keeps everything, or why there is none. */
export type PodStore = { readonly directory: string } | { readonly reason: string };

declare module "vitest" {
  interface ProvidedContext {
    readonly podStore: PodStore;
  }
}

const IMAGES = [...sidecarNames, "legacy-app"].map((name) => `pillion/${name}`);
const PREFIX = "pillion-podman-";
const run = promisify(execFile);

/** Before the first scenario: a podman of its own with the images in it, for all files of this run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const store = await openStore();
  project.provide("podStore", store);
  return async () => {
    if ("directory" in store) await removeStore(store.directory);
  };
}

async function openStore(): Promise<PodStore> {
  const reason = await whyUnavailable();
  if (reason) return { reason };
  await removeLeftovers();
  const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  try {
    const podman = await setUpPodman(directory);
    await podman.run("pod", "create", `--network=${NETWORK}`, "--name=trial");
    await podman.run("pod", "start", "trial");
    await podman.run("pod", "rm", "--force", "trial");
    await podman.load(...IMAGES);
    return { directory };
  } catch (error) {
    await removeStore(directory);
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

async function whyUnavailable(): Promise<string | undefined> {
  const answers = async (program: string, ...args: string[]) =>
    await run(program, args).then(
      () => true,
      () => false,
    );
  if (!(await answers("podman", "--version"))) return "podman was not found: install podman, catatonit and netavark";
  if (process.getuid?.() !== 0) return "it takes root: the group's files belong to another user";
  if (!(await answers("docker", "version"))) return "no container engine answers that has the images: start docker";
  const found = await Promise.all(IMAGES.map((image) => answers("docker", "image", "inspect", image)));
  const missing = IMAGES.filter((_, index) => !found[index]);
  return missing.length > 0 ? `images are missing: ${missing.join(", ")}; npm run images builds them` : undefined;
}

/** What tests left that were killed before they could remove it. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, owner] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (owner && !isRunning(Number(owner))) await removeStore(join(tmpdir(), name));
  }
}

async function removeStore(directory: string): Promise<void> {
  // podman lets go of its mounts with what runs, but not when it was killed in the middle
  await podmanIn(directory)
    .run("pod", "rm", "--all", "--force", "--time=0")
    .catch((error: unknown) => console.error(error));
  await run("umount", ["--recursive", join(directory, "storage/overlay")]).catch(() => {});
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
