import { execFile } from "node:child_process";
import { readFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { docker } from "../../drivers/engine.ts";
import { setUpPodman } from "../../drivers/podman.ts";

const run = promisify(execFile);

/** Where a podman that others start keeps everything: images of the machine's user play no part. Disposal removes it. */
export interface PodmanStore extends AsyncDisposable {
  /** What makes podman take this store. */
  readonly environment: NodeJS.ProcessEnv;
  /** Copies images from Docker, under the same names. */
  load(...images: readonly string[]): Promise<void>;
  /** The digests of an image's layers, lowest first. */
  layers(image: string): Promise<string[]>;
}

export async function makePodmanStore(): Promise<PodmanStore> {
  const directory = await mkdtemp(join(tmpdir(), "pillion-e2e-"));
  await setUpPodman(directory);
  const environment = await describe(directory);
  const podman = async (...args: readonly string[]) =>
    (await run("podman", args, { env: { ...process.env, ...environment }, maxBuffer: 2 ** 26 })).stdout.trim();
  return {
    environment,
    async load(...images) {
      const archive = join(directory, "images.tar");
      await docker("save", `--output=${archive}`, ...images);
      await podman("load", "--quiet", `--input=${archive}`);
      await rm(archive);
    },
    layers: async (image) =>
      JSON.parse(await podman("inspect", "--type=image", "--format={{json .RootFS.Layers}}", image)),
    async [Symbol.asyncDispose]() {
      await podman("system", "reset", "--force");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The same places that the driver for pods gives as flags, in files: containers.conf(5), containers-storage.conf(5). */
async function describe(directory: string): Promise<NodeJS.ProcessEnv> {
  const [containers, storage] = ["containers.conf", "storage.conf"].map((name) => join(directory, name)) as [
    string,
    string,
  ];
  const places = [
    `tmp_dir = "${join(directory, "tmp")}"`,
    "[network]",
    `network_config_dir = "${join(directory, "networks")}"`,
  ];
  await writeFile(containers, (await readFile(containers, "utf8")).replace("[network]", places.join("\n")));
  const roots = [`graphroot = "${join(directory, "storage")}"`, `runroot = "${join(directory, "run")}"`];
  await writeFile(storage, ["[storage]", 'driver = "overlay"', ...roots, ""].join("\n"));
  return { CONTAINERS_CONF: containers, CONTAINERS_STORAGE_CONF: storage };
}
