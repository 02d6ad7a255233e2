import type { IncomingMessage } from "node:http";
import { EVENT_STREAM } from "../relay/event-stream.ts";
import { hasBody } from "./rewrite-body.ts";

/** The relay's `isEventStream` of an answer that Node has parsed. */
export function isEventStream(fromApp: IncomingMessage, method: string | undefined): boolean {
  const { "content-type": type = "", "content-length": length } = fromApp.headers;
  return method === "GET" && hasBody(fromApp, method) && length === undefined && EVENT_STREAM.test(type);
}
