import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { sidecarNames } from "../drivers/driver.ts";
import { containerLog } from "../drivers/engine.ts";
import { scenario } from "../drivers/scenario.ts";
import { ask } from "./parts/ask.ts";
import { imageCommands, probes, runCommand } from "./parts/image-commands.ts";
import { noticeboard } from "./parts/noticeboard.ts";

const repository = join(import.meta.dirname, "../..");
const readmes = ["README.md", ...sidecarNames.map((name) => `packages/${name}/README.md`)];

for (const readme of readmes) {
  scenario(
    `the image commands in ${readme} work as written, and stay healthy`,
    { on: ["image"] },
    async ({ start }) => {
      const commands = imageCommands(await readFile(join(repository, readme), "utf8"));
      expect(commands, `docker run commands in ${readme}`).not.toEqual([]);
      const group = await start({ ...noticeboard(), app: { program: "legacy-app", flags: appFlags } });
      for (const command of commands) {
        await using container = await runCommand(command, group);
        const state = async () => {
          const last = await probes(container.id);
          return last.length >= 3 && last.slice(-3).every((code) => code === 0)
            ? "healthy"
            : await containerLog(container.id);
        };
        await expect.poll(state, { message: command }).toBe("healthy");
        if (command.includes("/server")) {
          expect((await ask(`http://${container.address}/topz`)).text).toContain("server.js --port 8080");
        }
      }
    },
  );
}

/** Where the READMEs suppose an app. */
function appFlags({ directory }: { readonly directory: string }): string[] {
  return ["--port", "8080", "--config", join(directory, "config/app.xml"), "--root", join(directory, "website")];
}
