import { describe, expect, test } from "vitest";
import { sidecarNames } from "../drivers/driver.ts";
import { docker } from "../drivers/engine.ts";
import { available, engine, program, root } from "./parts/available.ts";
import { makeCopyToBuild } from "./parts/copy-to-build.ts";
import { filesOf } from "./parts/image-files.ts";
import { runImages } from "./parts/images-script.ts";
import { makePodmanStore } from "./parts/podman-store.ts";

const names = [...sidecarNames, "pause"] as const;
const podman = program("podman", "apt-get install podman");

describe.runIf(await available(engine))("two builds without cache from two checkouts of one commit", () => {
  test("have the same files and the same layers with Docker", { timeout: 400_000 }, async () => {
    await using copy = await makeCopyToBuild();
    const prefixes = [`${copy.prefix}/one`, `${copy.prefix}/two`] as const;
    for (const prefix of prefixes) {
      const directory = await copy.cloned();
      const { code, said } = await runImages(["--engine=docker", `--prefix=${prefix}`, "--no-cache", ...names], {
        directory,
      });
      expect(code, said).toBe(0);
    }
    for (const name of names) {
      const [one, two] = prefixes.map((prefix) => `${prefix}/${name}`) as [string, string];
      const files = await filesOf(one, two);
      expect(files[two]).toEqual(files[one]);
      expect(await layersOf(two)).toBe(await layersOf(one));
      expect(await revisionOf(two)).toBe(copy.commit);
    }
  });
});

describe.runIf(await available(engine, root, podman))(
  "two builds without cache from two checkouts of one commit",
  () => {
    test("have the same layers with podman, on the same base", { timeout: 600_000 }, async () => {
      await using copy = await makeCopyToBuild();
      await using store = await makePodmanStore();
      await store.load("debian:trixie-slim", "node:26-trixie-slim");
      const layers: string[][] = [];
      for (const prefix of ["one", "two"]) {
        const args = ["--engine=podman", `--prefix=${prefix}`, "--no-cache", "repo-updater", "topz"];
        const { code, said } = await runImages(args, {
          directory: await copy.cloned(),
          environment: store.environment,
        });
        expect(code, said).toBe(0);
        layers.push(await store.layers(`${prefix}/repo-updater`), await store.layers(`${prefix}/topz`));
      }
      const [updater, topz, updaterAgain, topzAgain] = layers;
      expect(updater).toHaveLength(3);
      expect(updaterAgain).toEqual(updater);
      expect(topz).toHaveLength(2);
      expect(topzAgain).toEqual(topz);
      expect(topz?.[0]).toBe(updater?.[0]);
    });
  },
);

async function layersOf(image: string): Promise<string> {
  return await docker("image", "inspect", '--format={{join .RootFS.Layers " "}}', image);
}

async function revisionOf(image: string): Promise<string> {
  return await docker(
    "image",
    "inspect",
    '--format={{index .Config.Labels "org.opencontainers.image.revision"}}',
    image,
  );
}
