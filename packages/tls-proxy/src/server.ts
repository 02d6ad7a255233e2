import type { IncomingMessage } from "node:http";
import { type Handler, type Logger, sendText } from "@pillion/kit";

/** `POST /shutdown`, as `[route, handler]`, and the promise that it resolves. */
export interface ShutdownEndpoint {
  readonly route: readonly [string, Handler];
  readonly requested: Promise<void>;
}

/** Lets the app of a Job end its sidecar: nothing else tells it that the work is over. */
export function shutdownEndpoint(log: Logger): ShutdownEndpoint {
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  const handler: Handler = (request, response) => {
    if (isFromBrowser(request)) return sendText(response, 403, "a web page may not ask for this\n");
    log.info("stopping, as POST /shutdown asked for");
    response.once("close", resolve);
    sendText(response, 202, "stopping\n");
  };
  return { route: ["POST /shutdown", handler], requested };
}

/**
 * Any page can have its browser send a POST here, by a form if nothing else, and a page whose name was made to point here
 * can send any header field. But no browser sends a POST without Origin (Fetch, "append a request Origin header"), and no
 * page can take that or `Sec-Fetch-*` away. Programs send neither.
 */
function isFromBrowser({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || Object.keys(headers).some((name) => name.startsWith("sec-fetch-"));
}
