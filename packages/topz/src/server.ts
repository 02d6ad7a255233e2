import { type Handler, type RouteMatch, send, sendJson, sendText } from "@pillion/kit";
import type { ServerResponse } from "node:http";
import { page, pagePolicy } from "./page.ts";
import type { Snapshot } from "./process-table.ts";
import { type RowQuery, parseQuery, select } from "./query.ts";
import { textTable } from "./text-table.ts";

/** The page, its data and the plain text, each as `[route, handler]`, for the admin listener and for one of its own. */
export function endpoints(
  latest: () => Snapshot | undefined,
  interval: number,
): readonly (readonly [string, Handler])[] {
  return [
    ["GET /", (_request, response) => sendPage(response, interval)],
    ["GET /topz", (_request, response, match) => withRows(latest(), response, match, sendTextRows)],
    ["GET /api/v1/processes", (_request, response, match) => withRows(latest(), response, match, sendJsonRows)],
  ];
}

function sendPage(response: ServerResponse, interval: number): void {
  response.setHeader("Content-Security-Policy", pagePolicy);
  send(response, 200, "text/html; charset=utf-8", page(interval));
}

type SendRows = (response: ServerResponse, snapshot: Snapshot, query: RowQuery) => void;

function withRows(
  snapshot: Snapshot | undefined,
  response: ServerResponse,
  { url }: RouteMatch,
  sendRows: SendRows,
): void {
  if (!snapshot) return sendText(response, 503, "no sample yet; ask again in a moment\n");
  try {
    sendRows(response, snapshot, parseQuery(url.searchParams));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    sendText(response, 400, `${error.message}\n`);
  }
}

function sendTextRows(response: ServerResponse, { processes }: Snapshot, query: RowQuery): void {
  sendText(response, 200, textTable(select(processes, query), query));
}

function sendJsonRows(response: ServerResponse, { processes, ...snapshot }: Snapshot, query: RowQuery): void {
  sendJson(response, 200, { ...snapshot, total: processes.length, processes: select(processes, query) });
}
