import { join } from "node:path";
import { docker } from "./engine.ts";
import { type AppProgram, sidecarNames } from "./driver.ts";

/** The distribution's servers, unmodified: third-party/Dockerfile. */
export const THIRD_PARTY = "pillion-e2e/third-party";

/** Those of the images of the project that the engine doesn't have. */
export async function missingImages(): Promise<string[]> {
  const images = [...sidecarNames, "pause", "legacy-app"].map((name) => `pillion/${name}`);
  const absent = await Promise.all(images.map(async (image) => ((await exists(image)) ? [] : [image])));
  return absent.flat();
}

/** The arguments of `docker run` that start an app, all but its flags. */
export async function appImage(program: AppProgram | "sshd"): Promise<string[]> {
  if (program === "legacy-app") return ["pillion/legacy-app"];
  await docker("build", "--quiet", `--tag=${THIRD_PARTY}`, join(import.meta.dirname, "../third-party"));
  return [`--entrypoint=/usr/sbin/${program}`, THIRD_PARTY];
}

async function exists(image: string): Promise<boolean> {
  return await docker("image", "inspect", image).then(
    () => true,
    () => false,
  );
}
