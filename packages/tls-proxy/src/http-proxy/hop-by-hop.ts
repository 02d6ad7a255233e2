/**
 * A message's header fields without those that concern only one connection (RFC 9110 §7.6.1): the well-known ones and
 * every name that `Connection` lists, but for the length that delimits the message. Fields are names and values in turn, as Node's `rawHeaders`; case and order stay.
 */
export function withoutHopByHop(fields: readonly string[]): string[] {
  const listed = connectionOptions(fields);
  return selectFields(fields, (name) => {
    if (name === "content-length") return true;
    return !HOP_BY_HOP.has(name) && !listed.includes(name);
  });
}

/** The names that `Connection` fields list, in lower case. */
export function connectionOptions(fields: readonly string[]): string[] {
  return fieldValues(fields, "connection")
    .flatMap((value) => value.split(","))
    .map((option) => option.trim().toLowerCase());
}

/** The values of every field called `name` (lower case), in order. */
export function fieldValues(fields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < fields.length; index += 2)
    if (fields[index]?.toLowerCase() === name) values.push(fields[index + 1] ?? "");
  return values;
}

/** The fields whose lower-case name is wanted. */
export function selectFields(fields: readonly string[], wanted: (lowerCaseName: string) => boolean): string[] {
  const selected: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const [name = "", value = ""] = [fields[index], fields[index + 1]];
    if (wanted(name.toLowerCase())) selected.push(name, value);
  }
  return selected;
}

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
