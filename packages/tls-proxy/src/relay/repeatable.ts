import type { RequestHead } from "../http1/request-head.ts";

/** Methods that mean the same sent once or twice (RFC 9110 §9.2.2). */
export const IDEMPOTENT: readonly string[] = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"];

/** Whether a request may be sent again: it is all in its head, and means the same sent once or twice. */
export function isRepeatable(head: RequestHead): boolean {
  return head.framing === "none" && head.upgradeField < 0 && IDEMPOTENT.some((method) => head.hasMethod(method));
}
