import { FieldKind, fieldKindOf } from "../http1/field-kind.ts";
import type { Origin } from "../http1/origin.ts";
import { selectFields } from "./hop-by-hop.ts";

/**
 * Header fields with those that say where the request came from, for a request to `host`. All that the client sent in
 * such fields goes first, so that no client can tell the app who it is.
 */
export function withForwarded(fields: readonly string[], origin: Origin, host: string): string[] {
  const said = new Map<string, string>();
  for (const [index, name] of fields.entries())
    if (index % 2 === 0 && origin.trusted && isOrigin(name)) say(said, name.toLowerCase(), fields[index + 1] ?? "");
  return [...selectFields(fields, (name) => !isOrigin(name)), ...origin.fields(host, said)];
}

/** Of several lines one list (RFC 9110 §5.3). */
function say(said: Map<string, string>, name: string, value: string): void {
  const before = said.get(name);
  said.set(name, before === undefined ? value : `${before}, ${value}`);
}

const isOrigin = (name: string): boolean => fieldKindOf(name) === FieldKind.origin;
