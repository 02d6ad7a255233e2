import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { AppProgram, Places } from "../../drivers/driver.ts";
import type { Stage } from "../../drivers/scenario.ts";
import { askHttps, metric, readiness } from "./asking.ts";
import { PAGES, noticeboard } from "./noticeboard.ts";
import { push } from "./repository.ts";

/** A web server that nobody here wrote. */
export interface ThirdParty {
  readonly program: AppProgram;
  /** The arguments that make it stay in the foreground and read its configuration from a file. */
  readonly flags: (configuration: string) => readonly string[];
  /** A configuration that serves the pages on a loopback port and answers with `X-Edition`. */
  readonly configuration: (site: { readonly port: number; readonly pages: string; readonly edition: string }) => string;
  /** What makes it read its configuration again. */
  readonly signal: "HUP" | "USR1";
}

/** Puts it behind three sidecars: HTTPS in front of it, pages from git, a configuration that is reloaded by signal. */
export async function expectServedThroughSidecars(server: ThirdParty, { start }: Stage): Promise<void> {
  const { program, signal } = server;
  const plan = noticeboard("tls-proxy", "repo-updater");
  const group = await start({
    ...plan,
    async prepare(places) {
      await plan.prepare?.(places);
      await mkdir(join(places.directory, "server"));
      await configure(server, places, "first");
    },
    sidecars: {
      ...plan.sidecars,
      "config-sync": ({ directory }) => [
        `--source=${directory}/server`,
        `--target=${directory}/etc`,
        "--settle=1s",
        `--notify=signal:${signal}`,
        `--process=name=${program}`,
      ],
    },
    app: { program, flags: ({ directory }) => server.flags(join(directory, "etc/server.conf")) },
  });
  const edition = async () => (await askHttps(group, "/style.css")).headers["x-edition"];
  await expect.poll(edition).toBe("first");

  await push(group, { "fog.txt": "Fog until noon" });
  await expect.poll(async () => (await askHttps(group, "/fog.txt")).text).toBe("Fog until noon");

  await configure(server, group.places, "second");
  await expect.poll(edition).toBe("second");
  await expect.poll(() => readiness(group, "config-sync")).toBe("200 ready");
  expect(await metric(group, "config-sync", 'config_sync_notifications_total{outcome="signalled"}')).toBe("1");
}

async function configure({ configuration }: ThirdParty, { directory, port }: Places, edition: string): Promise<void> {
  const text = configuration({ port: port("app"), pages: join(directory, PAGES), edition });
  await writeFile(join(directory, "server/server.conf"), text);
}
