/**
 * A message's header fields without those that concern only one connection (RFC 9110 §7.6.1): the well-known ones and
 * every name that `Connection` lists. Fields are names and values in turn, as Node's `rawHeaders`; case and order stay.
 */
export function withoutHopByHop(fields: readonly string[]): string[] {
  const dropped = new Set([...HOP_BY_HOP, ...connectionOptions(fields)]);
  return selectFields(fields, (name) => !dropped.has(name));
}

/** The names that `Connection` fields list, in lower case. */
export function connectionOptions(fields: readonly string[]): string[] {
  return fieldValues(fields, "connection")
    .flatMap((value) => value.split(","))
    .map((option) => option.trim().toLowerCase());
}

/** The values of every field called `name` (lower case), in order. */
export function fieldValues(fields: readonly string[], name: string): string[] {
  return fields.filter((_, index) => index % 2 === 1 && fields[index - 1]?.toLowerCase() === name);
}

/** The fields whose lower-case name is wanted. */
export function selectFields(fields: readonly string[], wanted: (lowerCaseName: string) => boolean): string[] {
  return fields.filter((_, index) => wanted((fields[index - (index % 2)] ?? "").toLowerCase()));
}

const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
