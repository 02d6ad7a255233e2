import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ports } from "./ports.ts";
import { type Workplace, serverScript } from "./workplace.ts";

/** What is run: the app and the sidecars beside it. */
export const programNames = ["legacy-app", "tls-proxy", "topz", "repo-updater", "config-sync"] as const;
export type ProgramName = (typeof programNames)[number];
type SidecarName = Exclude<ProgramName, "legacy-app">;

export interface ProgramSpec {
  readonly name: ProgramName;
  readonly script: string;
  /** What its Node is told, before the script. */
  readonly flags: readonly string[];
  readonly args: readonly string[];
  /** Where a person finds it. */
  readonly url: string;
  readonly purpose: string;
  /** Where it says that it has started: a URL that answers 200. */
  readonly startedUrl: string;
}

/**
 * The five command lines: everything that a sidecar is told is in its flags, and the app is told of no sidecar.
 *
 * @param flags for the Node of the sidecars, such as the export condition that runs them from source
 */
export function programSpecs(
  place: Workplace,
  ports: Ports,
  flags: readonly string[],
): Record<ProgramName, ProgramSpec> {
  const app = `http://127.0.0.1:${ports.app}`;
  // with its port, as another demo may run on the same machine
  const tell = ["--notify", "signal:HUP", "--process", `cmdline=legacy-app/server.js --port ${ports.app} `];
  return {
    "legacy-app": {
      name: "legacy-app",
      script: serverScript,
      flags: [],
      args: [
        "--port",
        `${ports.app}`,
        "--config",
        join(place.etc, "app.xml"),
        "--root",
        join(place.content, "current"),
      ],
      url: `${app}/`,
      purpose: "the app that nobody may change",
      startedUrl: `${app}/status`,
    },
    "tls-proxy": sidecar("tls-proxy", ports.tlsProxy, {
      flags,
      args: ["--listen", `127.0.0.1:${ports.https}`, "--app-port", `${ports.app}`, "--state-dir", place.tls],
      url: `https://localhost:${ports.https}/`,
      purpose: "HTTPS in front of it",
    }),
    topz: sidecar("topz", ports.topz, { flags, args: ["--interval", "1s"], purpose: "its processes, live" }),
    "repo-updater": sidecar("repo-updater", ports.repoUpdater, {
      flags,
      args: ["--repo", place.repository, "--root", place.content, "--link", "current", "--period", "2s"],
      purpose: "its pages, from git",
    }),
    "config-sync": sidecar("config-sync", ports.configSync, {
      flags,
      args: ["--source", place.config, "--target", place.etc, "--settle", "1s", ...tell],
      purpose: "its configuration, checked",
    }),
  };
}

/** Where tls-proxy leaves the certificate that its own is to be verified against. */
export function developmentCa(place: Workplace): string {
  return join(place.tls, "development-ca", "ca.pem");
}

function sidecar(
  name: SidecarName,
  port: number,
  { flags, args, purpose, url }: { flags: readonly string[]; args: readonly string[]; purpose: string; url?: string },
): ProgramSpec {
  const admin = `127.0.0.1:${port}`;
  const package_ = dirname(fileURLToPath(import.meta.resolve(`@pillion/${name}/package.json`)));
  return {
    name,
    script: join(package_, "bin", `${name}.js`),
    flags,
    args: [...args, "--admin-listen", admin, "--log-format", "json"],
    url: url ?? `http://${admin}/${name === "topz" ? "" : "readyz"}`,
    purpose,
    startedUrl: `http://${admin}/startupz`,
  };
}
