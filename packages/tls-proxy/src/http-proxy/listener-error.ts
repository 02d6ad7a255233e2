import { messageOf } from "@pillion/kit";

/** What somebody's own listener did wrong: the app isn't to blame. */
export class ListenerError extends Error {
  override readonly name = "ListenerError";

  /** @param where `a listener for proxyReq`, `rewriteBody` */
  constructor(where: string, cause: unknown) {
    super(`${where} failed: ${messageOf(cause)}`, { cause });
  }
}
