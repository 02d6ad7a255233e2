import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IPod } from "kubernetes-models/v1";
import { parse } from "yaml";
import { freePorts } from "../../drivers/free-ports.ts";
import { openPodman } from "../../drivers/pod.ts";
import { NETWORK, type Podman } from "../../drivers/podman.ts";
import { type Answer, ask } from "./ask.ts";
import { serveInPod } from "./git-daemon.ts";
import { makeRepository, push } from "./repository.ts";

export const kubernetes = join(import.meta.dirname, "../../../examples/kubernetes");
const site = join(kubernetes, "../legacy-app/site");

/** A pod of examples/kubernetes. Disposal removes all of it. */
export interface ExamplePod extends AsyncDisposable {
  readonly podman: Podman;
  /** Asks through the published port, with the development CA of its tls-proxy. */
  askHttps(path: string): Promise<Answer>;
  /** Replaces the file of the ConfigMap, as a kubelet does when somebody applied a new one. */
  configure(edit: (text: string) => string): Promise<void>;
  push(files: Readonly<Record<string, string>>): Promise<void>;
}

/**
 * Makes the pod of a manifest, as it stands there but for the two places that README.md says to replace: the repository's
 * URL, which is a git server on the pod's own loopback, and the published port. None of its containers is started.
 */
export async function makeExamplePod(manifest: string): Promise<ExamplePod> {
  await using parts = new AsyncDisposableStack();
  const { podman } = openPodman();
  const { path: directory } = parts.use(await mkdtempDisposable(join(tmpdir(), "pillion-e2e-")));
  await makeRepository(directory, site);
  const [port = 0] = await freePorts(1);
  const text = adapt(await readFile(join(kubernetes, manifest), "utf8"), port);
  const path = join(directory, manifest);
  await writeFile(path, text);

  const { metadata, spec } = parse(text) as IPod;
  const name = metadata?.name ?? "";
  parts.defer(() => remove(podman, name, spec?.volumes?.map((volume) => volume.configMap?.name ?? volume.name) ?? []));
  const configMap = `--configmap=${join(kubernetes, "config-map.yaml")}`;
  await podman.run("kube", "play", "--start=false", `--network=${NETWORK}`, configMap, path);
  parts.use(await serveInPod(podman, name, directory));

  const mountpoint = (volume: string) => podman.run("volume", "inspect", "--format={{.Mountpoint}}", volume);
  const kept = parts.move();
  return {
    podman,
    async askHttps(at) {
      const ca = await readFile(join(await mountpoint("noticeboard-tls"), "development-ca/ca.pem"));
      return await ask(`https://localhost:${port}${at}`, { ca });
    },
    async configure(edit) {
      const file = join(await mountpoint("noticeboard"), "app.xml");
      await writeFile(file, edit(await readFile(file, "utf8")));
    },
    async push(files) {
      await push({ places: { directory }, user: process.getuid?.() ?? 0 }, files);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const URL_IN_EXAMPLE = "https://git.example.com/harbor/noticeboard.git";
const PORT_IN_EXAMPLE = "containerPort: 8443";

function adapt(manifest: string, port: number): string {
  if (manifest.split(URL_IN_EXAMPLE).length !== 2) throw new Error(`${URL_IN_EXAMPLE} isn't there exactly once`);
  return manifest
    .replace(URL_IN_EXAMPLE, "git://127.0.0.1/website.git")
    .replace(PORT_IN_EXAMPLE, `${PORT_IN_EXAMPLE}, hostPort: ${port}, hostIP: 127.0.0.1`);
}

async function remove(podman: Podman, pod: string, volumes: readonly string[]): Promise<void> {
  await podman.run("pod", "rm", "--force", "--time=0", "--ignore", pod);
  for (const volume of volumes) await podman.run("volume", "rm", "--force", volume).catch(() => {});
}
