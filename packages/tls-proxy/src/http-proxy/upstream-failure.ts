import { CANNOT_CONNECT } from "../upstream/cannot-connect.ts";
import type { UpstreamObserver } from "./engine.ts";
import { APP_AWAY, APP_FAILED, type OwnAnswer } from "../answers/own-answer.ts";

/** Tells of a failure to reach the app, or of the app's at a request, and says what the client gets instead. */
export function answerInstead(error: NodeJS.ErrnoException, observer: UpstreamObserver): OwnAnswer {
  if (CANNOT_CONNECT.has(error.code ?? "")) {
    observer.away(error);
    return APP_AWAY;
  }
  observer.failed(error);
  return APP_FAILED;
}
