import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Group, SidecarName } from "../../drivers/driver.ts";
import { type Answer, ask } from "./ask.ts";

/** Where a tls-proxy whose state directory is `tls` keeps what its certificate is verified against. */
const CA = "tls/development-ca/ca.pem";

/** Asks through HTTPS: the certificate has to be for `localhost` and from the development CA. */
export async function askHttps(group: Group, path: string): Promise<Answer> {
  const ca = await readFile(join(group.places.directory, CA));
  return await ask(`https://localhost:${group.places.port("https")}${path}`, { ca });
}

/** A line of the app's `/status`, such as `greeting`, as it comes through HTTPS; nothing while there is no answer. */
export async function statusLine(group: Group, name: string): Promise<string | undefined> {
  const answer = await askHttps(group, "/status").catch(() => undefined);
  return new RegExp(`^${name}: (.*)$`, "m").exec(answer?.text ?? "")?.[1];
}

/** What a sidecar's `/readyz` says, such as `200 ready`; why there is none when there is none. */
export async function readiness(group: Group, sidecar: SidecarName): Promise<string> {
  return await get(group.address(sidecar), "/readyz").catch((error: unknown) => String(error));
}

/** A sample of a sidecar's metrics, by its name with its labels. */
export async function metric(group: Group, sidecar: SidecarName, name: string): Promise<string | undefined> {
  const lines = (await get(group.address(sidecar), "/metrics")).split("\n");
  return lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
}

async function get(address: string, path: string): Promise<string> {
  const { status, text } = await ask(`http://${address}${path}`);
  return `${status} ${text.trim()}`;
}
