import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { docker } from "../../drivers/engine.ts";
import { missingImages } from "../../drivers/images.ts";

const run = promisify(execFile);

/** Something that tests take from the machine. */
export interface Need {
  /** What `E2E_REQUIRE` calls it. */
  readonly name: string;
  /** Why it isn't there, with the remedy; undefined when it is. */
  lacking(): Promise<string | undefined>;
}

/** Whether all of it is there. Prints why not. @throws when `E2E_REQUIRE` names what isn't: then nothing is skipped */
export async function available(...needs: readonly Need[]): Promise<boolean> {
  const required = (process.env["E2E_REQUIRE"] ?? "").split(",");
  for (const { name, lacking } of needs) {
    const reason = await lacking();
    if (!reason) continue;
    if (required.includes(name)) throw new Error(`${name} is required: ${reason}`);
    console.log(`skipped, for want of ${name}: ${reason}`);
    return false;
  }
  return true;
}

export const engine: Need = {
  name: "image",
  lacking: () => failure(docker("version", "--format={{.Server.Version}}"), "start a Docker engine"),
};

export const images: Need = {
  name: "image",
  async lacking() {
    const missing = await missingImages();
    return missing.length > 0 ? `images are missing: ${missing.join(", ")}; npm run images builds them` : undefined;
  },
};

/** Everything that needs a name on the PATH. */
export function program(name: string, remedy: string): Need {
  return { name: "engine", lacking: () => failure(run(name, ["--version"]), remedy) };
}

export const root: Need = {
  name: "engine",
  lacking: async () => (process.getuid?.() === 0 ? undefined : "only root may mount a file system and start an engine"),
};

/** Why it failed, in a line, and what helps; undefined when it didn't. */
export async function failure(attempt: Promise<unknown>, remedy: string): Promise<string | undefined> {
  return await attempt.then(
    () => undefined,
    (error: Error) => `${error.message.trim().replaceAll(/\s*\n\s*/g, " ")}; ${remedy}`,
  );
}
