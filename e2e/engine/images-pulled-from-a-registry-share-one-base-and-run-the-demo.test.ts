import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { sidecarNames } from "../drivers/driver.ts";
import { docker } from "../drivers/engine.ts";
import { available, engine, images, program, root } from "./parts/available.ts";
import { prepareDemo } from "./parts/compose-demo.ts";
import { composes } from "./parts/compose.ts";
import { imagesOf, removeImages } from "./parts/images-of.ts";
import { type Registry, startRegistry } from "./parts/registry.ts";
import { startSecondEngine } from "./parts/second-engine.ts";

const registryProgram = program("docker-registry", "apt-get install docker-registry");
const secondEngine = await available(root, program("dockerd", "install docker.io"));
const runnable = new Map(await Promise.all(composes.map(async (each) => [each, await available(each)] as const)));
const MEGABYTE = 1e6;
/** The targets are for `gzip -6`; what Docker packs with is up to 4 % larger. */
const DOCKER_PACKS = 1.04;

describe.runIf(await available(engine, images, registryProgram))("images pulled from a registry", () => {
  const published = [...sidecarNames, "pause"] as const;
  let registry: Registry;
  let prefix: string;

  beforeAll(async () => {
    registry = await startRegistry();
    prefix = `${registry.address}/pillion`;
    for (const name of published) {
      await docker("tag", `pillion/${name}`, `${prefix}/${name}`);
      await docker("push", "--quiet", `${prefix}/${name}`);
    }
    await removeImages(prefix);
  }, 120_000);
  afterAll(async () => {
    await removeImages(prefix);
    await registry[Symbol.asyncDispose]();
  });

  test("are as small as they are said to be", async () => {
    const layers = await Promise.all(sidecarNames.map((name) => registry.layers(`pillion/${name}`)));
    const own = layers.map((all) => sum(all.slice(1)));
    expect(layers[0]?.[0]?.size).toBeLessThanOrEqual(45 * MEGABYTE * DOCKER_PACKS);
    for (const [index, name] of sidecarNames.entries())
      expect(own[index], name).toBeLessThanOrEqual((name === "repo-updater" ? 15 : 1) * MEGABYTE);
    const distinct = new Map(layers.flat().map((layer) => [layer.digest, layer]));
    expect(sum([...distinct.values()])).toBeLessThanOrEqual(62 * MEGABYTE);
  });

  test.runIf(secondEngine)(
    "bring the base once, to an engine that has none of them",
    async () => {
      await using second = await startSecondEngine("800m");
      const [first, ...others] = sidecarNames;
      expect(await second.docker("pull", `${prefix}/${first}`)).not.toContain("Already exists");
      for (const name of others) {
        const said = await second.docker("pull", `${prefix}/${name}`);
        expect(said.match(/Already exists/g), said).toHaveLength(1);
        expect(said.match(/Pull complete/g), said).toHaveLength(name === "repo-updater" ? 2 : 1);
      }
      for (const name of sidecarNames) {
        const id = await docker("image", "inspect", "--format={{.ID}}", `pillion/${name}`);
        expect(await second.docker("image", "inspect", "--format={{.ID}}", `${prefix}/${name}`)).toBe(id);
      }
    },
    120_000,
  );

  for (const compose of composes) {
    test.runIf(runnable.get(compose))(
      `run the demo with ${compose.title}, which builds nothing`,
      async () => {
        // the app and the git server are nobody's to publish
        for (const name of ["legacy-app", "git-server"]) await docker("tag", `pillion/${name}`, `${prefix}/${name}`);
        onTestFinished(() => removeImages(prefix));
        await using demo = await prepareDemo(compose, prefix);
        await demo.compose("pull", ...sidecarNames, "pod");
        expect(Object.keys(await imagesOf(prefix)).toSorted()).toEqual(
          [...published, "legacy-app", "git-server"].map((name) => `${prefix}/${name}:latest`).toSorted(),
        );
        await demo.compose("up", "--detach", "--no-build");
        await expect.poll(() => demo.status("greeting")).toBe("Good morning, harbor");
        for (const sidecar of sidecarNames) {
          const image = await docker("inspect", "--format={{.Config.Image}}", await demo.container(sidecar));
          expect(image).toBe(`${prefix}/${sidecar}`);
        }
      },
      120_000,
    );
  }
});

function sum(layers: readonly { readonly size: number }[]): number {
  return layers.reduce((total, { size }) => total + size, 0);
}
