import type { RequestHead } from "../http1/request-head.ts";

/** Methods that mean the same sent once or twice (RFC 9110 §9.2.2). */
const IDEMPOTENT = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"];

export function isIdempotent(head: RequestHead): boolean {
  return IDEMPOTENT.some((method) => head.hasMethod(method));
}
