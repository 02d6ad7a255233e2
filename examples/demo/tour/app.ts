import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Demo } from "../demo.ts";
import { ask } from "../request.ts";

/** What the app says of itself at /status. */
export interface AppStatus {
  readonly greeting: string;
  readonly pid: number;
  readonly worker: number;
}

/** Asks the app over plain HTTP, past every sidecar. */
export async function appStatus({ ports }: Demo, signal: AbortSignal): Promise<AppStatus> {
  const { body } = await ask(`http://127.0.0.1:${ports.app}/status`, signal);
  const fields = Object.fromEntries(
    body
      .toString()
      .split("\n")
      .map((line) => line.split(/: (.*)/)),
  );
  return { greeting: fields["greeting"] ?? "", pid: Number(fields["pid"]), worker: Number(fields["worker"]) };
}

/** Replaces text in the configuration as an editor does: a new file beside it, renamed over it. */
export async function editConfig({ place }: Demo, edit: (text: string) => string): Promise<void> {
  const path = join(place.config, "app.xml");
  const draft = join(place.directory, "app.xml.draft");
  await writeFile(draft, edit(await readFile(path, "utf8")));
  await rename(draft, path);
}
