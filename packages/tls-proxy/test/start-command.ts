import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Spawned, spawnScript } from "@pillion/kit/testing";

const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));

/** The command as its users start it, on free loopback ports. `await using` kills it. */
export interface StartedCommand extends Spawned {
  readonly port: number;
  /** Where it serves probes and metrics, as an address. */
  readonly admin: string;
  /** PEM of the development CA; empty when it was started with certificates. */
  readonly ca: string;
  readonly caPath: string;
  /** The value of a metric without labels. */
  metric(name: string): Promise<number>;
}

/** @param app its port on 127.0.0.1, or its address */
export async function startCommand(app: number | string, args: readonly string[] = []): Promise<StartedCommand> {
  const stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-command-"));
  const places = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state-dir", stateDir];
  const proxy = spawnScript(bin, [
    "--upstream",
    typeof app === "number" ? `127.0.0.1:${app}` : app,
    ...places,
    ...args,
  ]);
  const { https = "", admin = "" } = await startedAt(proxy);
  const caPath = join(stateDir, "development-ca/ca.pem");
  return {
    ...proxy,
    port: Number(https.split(":").at(-1)),
    admin,
    caPath,
    ca: await readFile(caPath, "utf8").catch(() => ""),
    async metric(name) {
      const text = await (await fetch(`http://${admin}/metrics`)).text();
      return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await rm(stateDir, { recursive: true });
    },
  };
}

async function startedAt(proxy: Spawned): Promise<Record<string, string>> {
  const [line] = await proxy.says(/^.*"msg":"started".*$/m);
  return JSON.parse(line) as Record<string, string>;
}
