import { METHODS } from "node:http";
import type { Reading } from "./recorder.ts";
import type { ReaderName } from "./readers.ts";

/** Why a reader refuses what the grammar allows and the proxy passes on; nothing if there is no known reason. */
export function knownRefusal(reader: ReaderName, { method, target }: Reading): string | undefined {
  if (reader === "node" && !METHODS.includes(method)) return "Node serves only the methods it knows by name";
  if (reader !== "nginx") return undefined;
  if (!/^[A-Z_-]+$/.test(method)) return "nginx takes methods of capital letters, - and _";
  const [path = ""] = target.split("?", 1);
  if (/%(?![\da-f]{2})/i.test(path)) return "nginx decodes paths, and refuses a % without two digits";
  if (path.includes("%00")) return "nginx decodes paths, and refuses a NUL";
  if (climbs(path)) return "nginx resolves dot segments, and refuses a path above the root";
  return undefined;
}

function climbs(path: string): boolean {
  let depth = 0;
  for (const segment of path.split(/\/+/).slice(1)) {
    if (segment === "..") depth--;
    else if (segment !== "." && segment !== "") depth++;
    if (depth < 0) return true;
  }
  return false;
}
