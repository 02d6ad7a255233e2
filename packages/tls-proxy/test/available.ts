import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * Whether a command works here that tests need. Prints why not.
 * @throws when `E2E_REQUIRE` names what isn't there: then nothing is skipped
 */
export async function available(name: string, command: string, ...args: readonly string[]): Promise<boolean> {
  try {
    await promisify(execFile)(command, args);
    return true;
  } catch (error) {
    const reason = `${name} is not available: ${(error as Error).message.trim().replaceAll(/\s*\n\s*/g, " ")}`;
    if (process.env["E2E_REQUIRE"]?.split(",").includes(name)) throw new Error(reason, { cause: error });
    console.log(`skipped, as ${reason}`);
    return false;
  }
}
