import { type Factory, defineOptions, defineSidecar } from "@pillion/kit";
import { identity } from "../identity.ts";
import { options } from "../options.ts";
import { tlsProxy } from "../sidecar.ts";
import type { HttpProxyEvents } from "./customization.ts";

export type { HttpProxyEvents } from "./customization.ts";
/** Makes sidecars like `tlsProxy` does, from the same options. */
export interface CustomTlsProxy extends Factory<typeof options.table> {}

export { type RewriteBody, rewriteBody } from "./rewrite-body.ts";

/**
 * tls-proxy on the engine http-proxy, with listeners of your own on its events: the whole sidecar, with its options
 * but for `engine`; in HTTP alone, and in one process.
 *
 * - `proxyReq` and `proxyReqWs` `(toApp, request, …)`: `toApp.setHeader`, `removeHeader` and `toApp.path` have an effect until the
 *   listener returns, for requests with `Expect: 100-continue` too.
 * - `proxyRes` `(fromApp, request, response)`: change `fromApp.headers` and `fromApp.statusCode`, add fields by `response.setHeader`, have
 *   the body rewritten by `rewriteBody`, or answer yourself with `response.writeHead(…).end(…)`.
 * - `error` `(error, request, response)`: the app is away or broke off; who doesn't answer leaves that to tls-proxy.
 * - `open`, `close` and `end` are told; `start` and `econnreset` aren't.
 *
 * What frames a message or concerns one connection (Content-Length, Transfer-Encoding, Connection, Upgrade, Expect, Trailer
 * and the like) and the method are the engine's: changes to such fields have no effect, and another method or a path that
 * isn't visible ASCII gets 502. So does what a listener throws.
 *
 * @param attach called once when the sidecar starts
 */
export function customTlsProxy(attach: (proxy: HttpProxyEvents) => void): CustomTlsProxy {
  return defineSidecar(identity, customOptions, (values) => {
    const customized = { ...values, engine: "http-proxy" as const, attach };
    return tlsProxy.configured(customized);
  });
}

const customOptions = defineOptions(options.table, (values, problem, given) => {
  options.rules({ ...values, engine: "http-proxy" }, problem, given);
  if (given.has("engine")) problem("engine", "is http-proxy here", "Leave it out");
  if (values.mode === "tcp") problem("mode", "has no http-proxy in it", "Leave it out");
  if ((values.workers ?? 1) > 1) problem("workers", "don't have this program's listeners", "Leave it at 1");
});
