import type { RequestOptions } from "node:http";
import type { UpstreamRequest } from "./upstream-request.ts";

/**
 * Options for `http.request` that http-proxy cannot change: it fills the object given as `ssl` and hands it on, and a
 * setter that does nothing keeps its own method, path and header fields out.
 * @param connection the fields of the connection to the app, names and values in turn
 */
export function decided(outgoing: UpstreamRequest, connection: readonly string[], options: RequestOptions): object {
  const { method, target: path, fields } = outgoing;
  const headers = [...fields, ...connection];
  const all: RequestOptions = {
    ...options,
    method,
    path,
    headers,
    setDefaultHeaders: false,
    insecureHTTPParser: false,
  };
  const locked = Object.entries(all).map(([name, value]) => [
    name,
    { enumerable: true, get: () => value as unknown, set: () => {} },
  ]);
  return Object.defineProperties({}, Object.fromEntries(locked) as PropertyDescriptorMap);
}
