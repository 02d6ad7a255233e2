import type { ResponseHead } from "../http1/response-head.ts";

/**
 * Whether an answer is a stream of server-sent events, which has no end and is asked for again by itself when it breaks
 * off (HTML §9.2). That is by GET: what answers a POST in the same format, such as a model's tokens, is asked for once.
 * @param sentHead the request's head as the app got it
 */
export function isEventStream({ framing, fields }: ResponseHead, sentHead: Buffer): boolean {
  if (framing !== "chunked" && framing !== "close") return false;
  for (let index = 0; index < fields.count; index++) {
    // Most names are told apart by their length: no text is made of them.
    if ((fields.nameEnd[index] ?? 0) - (fields.lineStart[index] ?? 0) !== NAME.length) continue;
    if (fields.name(index) === NAME && EVENT_STREAM.test(fields.value(index))) return sentHead.indexOf(GET) === 0;
  }
  return false;
}

const NAME = "content-type";
/** The media type of server-sent events, whatever its parameters. */
export const EVENT_STREAM: RegExp = /^text\/event-stream[\t ]*(?:;|$)/i;
const GET = "GET ";
