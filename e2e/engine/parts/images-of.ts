import { docker } from "../../drivers/engine.ts";
import { images } from "../../../images/images.ts";

/** The tags and ids of the images whose names begin so, or so and with one component more. */
export async function imagesOf(prefix: string, ...engine: readonly string[]): Promise<Record<string, string>> {
  const names = images.flatMap(({ name }) => [`${prefix}/${name}`, `${prefix}/*/${name}`]);
  const filters = names.map((name) => `--filter=reference=${name}`);
  const lines = await docker(
    ...engine,
    "images",
    "--no-trunc",
    "--format={{.Repository}}:{{.Tag}} {{.ID}}",
    ...filters,
  );
  return Object.fromEntries(
    lines
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" ")),
  );
}

/** Removes these names, and what has no other. */
export async function removeImages(prefix: string): Promise<void> {
  const names = Object.keys(await imagesOf(prefix));
  if (names.length > 0) await docker("rmi", "--force", ...names);
}
