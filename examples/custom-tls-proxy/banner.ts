import { customTlsProxy, rewriteBody } from "@pillion/tls-proxy/http-proxy";

/** tls-proxy that tells the app who asks, and puts a banner on its pages. */
export const bannerProxy = customTlsProxy((proxy) => {
  proxy.on("proxyReq", (toApp) => {
    toApp.setHeader("X-Environment", "staging");
    // The pages are read below: not compressed, and not in parts.
    toApp.removeHeader("Accept-Encoding");
    toApp.removeHeader("Range");
  });

  proxy.on("proxyRes", (fromApp) => {
    delete fromApp.headers["x-powered-by"];
    if (!fromApp.headers["content-type"]?.startsWith("text/html")) return;
    rewriteBody(fromApp, async function* (page) {
      yield "<p>This is staging.</p>\n";
      yield* page;
    });
  });
});
