import type { IncomingMessage } from "node:http";

/** Makes another body of an answer's: gets it as it comes, without its transfer coding, and yields what is sent. */
export type RewriteBody = (body: AsyncIterable<Buffer>) => AsyncIterable<string | Buffer>;

const rewrites = new WeakMap<IncomingMessage, RewriteBody>();

/**
 * Has the body of the app's answer rewritten on its way; to be called by a listener for `proxyRes`, before it returns.
 *
 * The answer goes out in chunks, as nobody knows its length beforehand (RFC 9112 §7.1), and without the digests of what the
 * app sent. `rewrite` isn't called where there is no body: for HEAD, 204 and 304. It gets what the app sent under the
 * answer's `Content-Encoding`, and one part alone of an answer to `Range`: who reads text removes `Accept-Encoding`
 * and `Range` from the request, in a listener for `proxyReq`. When it throws, the client sees an answer that breaks off.
 */
export function rewriteBody(fromApp: IncomingMessage, rewrite: RewriteBody): void {
  rewrites.set(fromApp, rewrite);
}

/** What a listener wants to be done with an answer's body. */
export function rewriteOf(fromApp: IncomingMessage): RewriteBody | undefined {
  return rewrites.get(fromApp);
}

/** Whether an answer has a body at all (RFC 9110 §6.4.1). */
export function hasBody({ statusCode }: IncomingMessage, method: string | undefined): boolean {
  return method !== "HEAD" && statusCode !== 204 && statusCode !== 304;
}

/** Fields that are about the very bytes of a body (RFC 9110 §8.6 and §14.3, RFC 9530). */
export const ABOUT_BYTES: ReadonlySet<string> = new Set([
  "content-length",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
  "accept-ranges",
]);
