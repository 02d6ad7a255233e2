import type { OutgoingHttpHeaders } from "node:http2";

/** As an object, which is what Node wants of all but an answer's head. @param list names and values in turn */
export function headerObject(list: readonly string[]): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (let index = 0; index < list.length; index += 2) addField(headers, list[index] ?? "", list[index + 1] ?? "");
  return headers;
}

export function addField(headers: OutgoingHttpHeaders, name: string, value: string): void {
  const before = headers[name];
  headers[name] = before === undefined ? value : [...[before].flat().map(String), value];
}
