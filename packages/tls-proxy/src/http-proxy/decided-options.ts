import type { RequestOptions } from "node:http";
import type { UpstreamRequest } from "./upstream-request.ts";

/**
 * Options for `http.request` that http-proxy cannot change: it fills the object given as `ssl` and hands it on, and a
 * setter that does nothing keeps its own method, path, header fields and agent out.
 * @param connection the fields of the connection to the app, names and values in turn
 * @param isOpen whether fields may be changed before they are sent; else they go out byte for byte
 */
export function decided(
  { method, target: path, fields }: UpstreamRequest,
  connection: readonly string[],
  { agent, signal }: Pick<RequestOptions, "agent" | "signal">,
  isOpen: boolean,
): object {
  const list = [...fields, ...connection];
  const headers = isOpen ? record(list) : list;
  const options: WithDecided = {
    setDefaultHeaders: false,
    insecureHTTPParser: false,
    [DECIDED]: { method, path, headers, agent },
  };
  if (signal) options.signal = signal;
  return Object.defineProperties(options, LOCKED);
}

const DECIDED = Symbol("decided");

interface WithDecided extends RequestOptions {
  readonly [DECIDED]: RequestOptions;
}

/** The same functions for every request: with new ones V8 would make a class of objects for each of them. */
const LOCKED: PropertyDescriptorMap & ThisType<WithDecided> = Object.fromEntries(
  (["method", "path", "headers", "agent"] as const).map((name) => [
    name,
    {
      enumerable: true,
      get(this: WithDecided): unknown {
        return this[DECIDED][name];
      },
      set() {},
    },
  ]),
);

/**
 * A list is written at once, this when the request is sent. `Expect` is left out, for with it Node writes at once and
 * http-proxy tells nobody; see Customization.
 */
function record(fields: readonly string[]): Record<string, string | string[]> {
  const byName = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (const [index, value] of fields.entries()) {
    const name = fields[index - 1] ?? "";
    const key = name.toLowerCase();
    if (index % 2 === 0 || key === "expect") continue;
    const known = byName.get(key);
    if (known) known.values.push(value);
    else byName.set(key, { name, values: [value] });
  }
  // Node wants Host to be a text.
  return Object.fromEntries(
    [...byName.values()].map(({ name, values }) => [name, values[1] === undefined ? (values[0] ?? "") : values]),
  );
}
