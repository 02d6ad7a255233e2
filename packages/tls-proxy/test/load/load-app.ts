import { fileURLToPath } from "node:url";
import { type Spawned, spawnScript } from "@pillion/kit/testing";

const script = fileURLToPath(new URL("../fixtures/load-app.ts", import.meta.url));

export interface LoadApp extends Spawned {
  readonly address: string;
}

/**
 * The app of these tests as a process. It has an address for itself: on 127.0.0.1 its port could be taken by a client
 * while it is away.
 */
export async function startLoadApp(address = "127.0.0.9:0"): Promise<LoadApp> {
  const app = spawnScript(script, [address]);
  const [, listening = ""] = await app.says(/listening at (\S+)/);
  return { ...app, address: listening };
}
