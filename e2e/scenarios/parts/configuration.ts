import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Group } from "../../drivers/driver.ts";
import { CONFIG } from "./noticeboard.ts";

/** Edits the configuration of the noticeboard at its source, as a person would. */
export async function editConfiguration({ places }: Group, edit: (text: string) => string): Promise<void> {
  const path = join(places.directory, CONFIG);
  await writeFile(path, edit(await readFile(path, "utf8")));
}

/** Gives the noticeboard a new greeting. */
export async function greet(group: Group, greeting: string): Promise<void> {
  await editConfiguration(group, (text) => text.replace(/(?<=<greeting>)[^<]*/, greeting));
}
