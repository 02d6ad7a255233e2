import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { BuildError } from "./build-error.ts";
import type { Engine } from "./engine.ts";
import { execute, lastLine } from "./execute.ts";
import { repository } from "./images.ts";

const DEBIAN = "debian:trixie-slim";
/** What the images of the sidecars say that they are based on. */
export const NODE = "node:26-trixie-slim";

/** What the Dockerfiles start from: there already, pulled, or, where no registry is reached, made of Debian's packages. */
export async function provideBaseImages(engine: Engine, newer: boolean): Promise<void> {
  for (const image of [DEBIAN, NODE]) {
    const there = await engine.has(image);
    if (there && !newer) continue;
    const problem = await pull(engine, image);
    if (problem === undefined) continue;
    console.log(`images: ${image} can't be pulled (${problem})`);
    if (there) continue;
    return await makeStandIns(engine, image, problem);
  }
}

/** @returns why it can't be had */
async function pull(engine: Engine, image: string): Promise<string | undefined> {
  const name = `docker.io/library/${image}`;
  try {
    await engine.run(["pull", name]);
    await engine.tag(name, image);
    return undefined;
  } catch (error) {
    return lastLine((error as Error).message);
  }
}

async function makeStandIns({ program }: Engine, image: string, problem: string): Promise<void> {
  const script = join(repository, "images/base/stand-ins.sh");
  if (program === "buildah" || !(await isInstalled("mmdebstrap")))
    throw new BuildError(
      `${image} is not there and can't be pulled (${problem}). ` +
        "Connect to its registry, or install mmdebstrap as root on Debian, and images that stand in for it are made from packages",
    );
  console.log(
    "images: making images that stand in, from Debian's and npm's packages, under the names of those that are missing",
  );
  await promisify(execFile)(script, [program, DEBIAN, NODE], { cwd: repository, maxBuffer: 2 ** 26 }).catch((error) => {
    throw new BuildError(`the images that stand in can't be made:\n${error.stderr ?? error}`);
  });
  console.log(`images: they stay; with a registry again, remove them first: ${program} image rm ${NODE} ${DEBIAN}`);
}

async function isInstalled(program: string): Promise<boolean> {
  return await execute(program, ["--version"]).then(
    () => true,
    () => false,
  );
}
