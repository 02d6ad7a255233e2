import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { freePorts } from "../../drivers/free-ports.ts";

/** The distribution's image registry on loopback, empty. Disposal removes what was pushed. */
export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:P`, which engines take for a registry without TLS. */
  readonly address: string;
  /** The layers of an image as they are stored and pulled, lowest first; sizes in bytes. */
  layers(name: string): Promise<readonly { readonly digest: string; readonly size: number }[]>;
}

export async function startRegistry(): Promise<Registry> {
  const directory = await mkdtemp(join(tmpdir(), "pillion-e2e-"));
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const configuration = join(directory, "config.yml");
  await writeFile(
    configuration,
    JSON.stringify({
      version: "0.1",
      log: { level: "error" },
      storage: { filesystem: { rootdirectory: directory } },
      http: { addr: address },
    }),
  );
  const server = spawn("docker-registry", ["serve", configuration], { stdio: ["ignore", "ignore", "pipe"] });
  const [ended, log] = [once(server, "close"), text(server.stderr)];
  const registry: Registry = {
    address,
    async layers(name) {
      const headers = { accept: "application/vnd.docker.distribution.manifest.v2+json" };
      const answer = await fetch(`http://${address}/v2/${name}/manifests/latest`, { headers });
      return ((await answer.json()) as { layers: { digest: string; size: number }[] }).layers;
    },
    async [Symbol.asyncDispose]() {
      server.kill();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
  while (!(await answers(address))) {
    if (server.exitCode !== null) {
      await registry[Symbol.asyncDispose]();
      throw new Error(`docker-registry ended with ${server.exitCode}: ${await log}`);
    }
    await setTimeout(50);
  }
  return registry;
}

async function answers(address: string): Promise<boolean> {
  return await fetch(`http://${address}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );
}
