import { FieldKind, fieldKindOf } from "../http1/field-kind.ts";
import type { Origin } from "../http1/origin.ts";

/**
 * Header fields with those that say where the request came from, for a request to `host`. All that the client sent in
 * such fields goes first, so that no client can tell the app who it is.
 */
export function withForwarded(fields: readonly string[], origin: Origin, host: string): string[] {
  const said = new Map<string, string>();
  const others: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const [name = "", value = ""] = [fields[index], fields[index + 1]];
    if (fieldKindOf(name) !== FieldKind.origin) others.push(name, value);
    else if (origin.trusted) say(said, name.toLowerCase(), value);
  }
  return [...others, ...origin.fields(host, said)];
}

/** Of several lines one list (RFC 9110 §5.3). */
function say(said: Map<string, string>, name: string, value: string): void {
  const before = said.get(name);
  said.set(name, before === undefined ? value : `${before}, ${value}`);
}
