import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Refusal } from "../http1/refusal.ts";
import type { AnswerRules } from "./answer-rules.ts";
import { httpDate } from "./http-date.ts";

/** An answer that comes from the proxy itself and not from the app. */
export interface OwnAnswer {
  readonly status: number;
  /** One sentence for a person; made of fixed words only. */
  readonly explanation: string;
  /** Seconds after which to try again. */
  readonly retryAfter?: number;
  /** Whether the connection ends with this answer: what follows on it can't be trusted. */
  readonly close?: boolean;
}

export const APP_AWAY: OwnAnswer = {
  status: 503,
  explanation: "The application is not running yet, or is restarting.",
  retryAfter: 2,
};
/** To who speaks HTTP where HTTPS is served. Where to, it can't say: ports may be mapped on the way here. */
export const PLAIN_HTTP: OwnAnswer = {
  status: 400,
  explanation: "The request came by plain HTTP to a port that serves HTTPS: ask with https:// instead.",
};
export const APP_FAILED: OwnAnswer = { status: 502, explanation: "The application broke off without a usable answer." };

/** What is said of a request that is refused; a connection of HTTP/1.1 ends with it. */
export function refused({ status, reason }: Refusal): OwnAnswer {
  return { status, explanation: `The request was refused: ${reason}.`, close: true };
}

/**
 * The whole answer as HTTP/1.1 text (ASCII).
 * @param accept what the client accepts; a page for those who ask for HTML
 */
export function answerText(
  own: OwnAnswer,
  accept: string,
  rules: AnswerRules,
  { head = false, close = own.close ?? false } = {},
): string {
  const { fields, body } = answerParts(own, accept, rules);
  const lines = fields.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
  const line = `HTTP/1.1 ${own.status} ${STATUS_CODES[own.status] ?? ""}\r\n`;
  return `${line}${lines}Date: ${httpDate()}\r\n${close ? "Connection: close\r\n" : ""}\r\n${head ? "" : body}`;
}

/** Its fields, names and values in turn, and its body. */
export function answerParts(
  own: OwnAnswer,
  accept: string | undefined,
  rules: Pick<AnswerRules, "additions">,
): { fields: string[]; body: string } {
  const { fields, body } = render(accept, own);
  return { fields: [...fields, ...rules.additions.flatMap(({ name, value }) => [name, value])], body };
}

/** Answers with a short page, as HTML for those who ask for it. */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  own: OwnAnswer,
  rules: Pick<AnswerRules, "additions"> = { additions: [] },
): void {
  const { fields, body } = answerParts(own, request.headers.accept, rules);
  if (own.close) response.shouldKeepAlive = false;
  response.writeHead(own.status, STATUS_CODES[own.status] ?? "", fields).end(body);
}

/** The same on a socket whose HTTP parser has gone, after an upgrade request or a malformed head. */
export function answerOnSocket(request: IncomingMessage | undefined, socket: Duplex, own: OwnAnswer): void {
  const { fields, body } = render(request?.headers.accept, own);
  socket.end(serializeHead(own.status, STATUS_CODES[own.status] ?? "", fields) + body);
}

/** The head of an answer after which the connection ends. */
export function serializeHead(status: number, reason: string, fields: readonly string[]): string {
  const lines = fields.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${fields[index + 1] ?? ""}\r\n`] : []));
  const isDated = fields.some((name, index) => index % 2 === 0 && name.toLowerCase() === "date");
  const date = isDated ? "" : `Date: ${httpDate()}\r\n`;
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}${date}Connection: close\r\n\r\n`;
}

function render(accept: string | undefined, own: OwnAnswer): { fields: string[]; body: string } {
  const title = `${own.status} ${STATUS_CODES[own.status] ?? ""}`;
  const html = /\btext\/html\b/i.test(accept ?? "");
  const body = html
    ? `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><p>${own.explanation}</p></html>\n`
    : `${title}\n${own.explanation}\n`;
  const fields = [
    "Content-Type",
    `text/${html ? "html" : "plain"}; charset=utf-8`,
    "Content-Length",
    `${Buffer.byteLength(body)}`,
    "Cache-Control",
    "no-store",
  ];
  if (own.retryAfter !== undefined) fields.push("Retry-After", `${own.retryAfter}`);
  return { fields, body };
}
