import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { Flags, GroupPlan, Places, SidecarName } from "../../drivers/driver.ts";
import { makeRepository } from "./repository.ts";

const legacyApp = join(import.meta.dirname, "../../../examples/legacy-app");

/** Where things are in a group's directory. */
export const CONFIG = "config/app.xml";
export const PAGES = "content/current";

const flagsOf: Record<SidecarName, Flags> = {
  topz: ({ outside }) => [`--listen=${outside("page")}`, "--interval=500ms"],
  "tls-proxy": ({ directory, port, outside }) => [
    `--listen=${outside("https")}`,
    `--app-port=${port("app")}`,
    `--state-dir=${directory}/tls`,
  ],
  "repo-updater": ({ directory }) => [
    `--repo=${directory}/website.git`,
    `--root=${directory}/content`,
    "--link=current",
    "--period=200ms",
  ],
  "config-sync": ({ directory, port }) => [
    `--source=${directory}/config`,
    `--target=${directory}/etc`,
    "--settle=1s",
    "--notify=signal:HUP",
    // with its port, as others may run on the same machine
    `--process=cmdline=server.js --port ${port("app")} `,
  ],
};

/** The legacy app with some of its sidecars. What those don't bring, its configuration or its pages, is there from the start. */
export function noticeboard(...names: readonly SidecarName[]): GroupPlan {
  const has = (name: SidecarName) => names.includes(name);
  return {
    prepare,
    sidecars: Object.fromEntries(names.map((name) => [name, flagsOf[name]])),
    app: {
      program: "legacy-app",
      flags: ({ directory, port }) => [
        "--port",
        `${port("app")}`,
        "--config",
        join(directory, has("config-sync") ? "etc/app.xml" : CONFIG),
        "--root",
        join(directory, has("repo-updater") ? PAGES : "website"),
      ],
    },
  };
}

async function prepare({ directory }: Places): Promise<void> {
  await cp(join(legacyApp, "config"), join(directory, "config"), { recursive: true });
  await makeRepository(directory, join(legacyApp, "site"));
}
