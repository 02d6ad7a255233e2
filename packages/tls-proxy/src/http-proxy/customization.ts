import { EventEmitter, captureRejectionSymbol } from "node:events";
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type httpProxy from "http-proxy";
import { FieldKind, fieldKindOf } from "../http1/field-kind.ts";
import { ListenerError } from "./listener-error.ts";

/** Where listeners for http-proxy's events are attached, by the methods and types of its own server. */
export type HttpProxyEvents = Pick<httpProxy, "on" | "once" | "off" | "removeListener" | "removeAllListeners">;

/**
 * Somebody's own listeners on http-proxy's events. They are told when what they change still has an effect, and what
 * they throw ends one exchange and not the process. What frames a message stays the engine's: a body that is longer
 * than its head says is the next client's answer.
 */
export class Customization {
  readonly #events = new EventEmitter({ captureRejections: true });

  constructor(attach: (proxy: HttpProxyEvents) => void) {
    Object.assign(this.#events, { [captureRejectionSymbol]: rejected });
    attach(this.#events as unknown as HttpProxyEvents);
  }

  /** Of a request whose head isn't written yet. What is wrong with it, or thrown by a listener, destroys it. */
  sends(
    event: "proxyReq" | "proxyReqWs",
    toApp: ClientRequest,
    request: IncomingMessage,
    ...rest: readonly unknown[]
  ): void {
    const { method } = toApp;
    const { expect } = request.headers;
    // RFC 9110 §10.1.1; see decided-options.ts for why it comes so late.
    if (expect !== undefined && request.httpVersion !== "1.0") toApp.setHeader("Expect", expect);
    lockFraming(toApp);
    try {
      this.#events.emit(event, toApp, request, ...rest);
      if (!/^[\x21-\x7e]+$/.test(toApp.path)) throw new Error("it set a path that must be percent-encoded");
      if (toApp.method !== method) throw new Error("it changed the request's method");
    } catch (error) {
      toApp.destroy(failureOf(event, error));
    }
  }

  /**
   * Of an answer that isn't passed on yet. Listeners change `fromApp.headers` and `fromApp.statusCode`, add fields by
   * `response.setHeader`, or answer themselves.
   * @returns the app's fields as they leave them, names and values in turn
   * @throws ListenerError
   */
  answers(fromApp: IncomingMessage, request: IncomingMessage, response: ServerResponse): string[] {
    const before = { ...fromApp.headers };
    try {
      this.#events.emit("proxyRes", fromApp, request, response);
    } catch (error) {
      throw failureOf("proxyRes", error);
    }
    if (!response.headersSent)
      for (const name of response.getHeaderNames()) if (isFraming(name)) response.removeHeader(name);
    return changedFields(fromApp.rawHeaders, before, fromApp.headers);
  }

  /** Of a failure, which a listener may answer itself. What was set for another answer is gone. */
  failed(error: Error, request: IncomingMessage, response: ServerResponse): void {
    if (response.headersSent) return;
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    this.tell("error", error, request, response);
  }

  /** Of something that listeners only look at. */
  tell(event: "open" | "close" | "end" | "error", ...rest: readonly unknown[]): void {
    try {
      this.#events.emit(event, ...rest);
    } catch {
      // Nothing depends on what such a listener does.
    }
  }
}

function failureOf(event: string, error: unknown): ListenerError {
  return new ListenerError(`a listener for ${event}`, error);
}

/** An asynchronous listener has failed: its request to the app or the app's answer, the event's first argument, ends. */
function rejected(error: unknown, event: string, message?: { destroy?: (error: Error) => void }): void {
  message?.destroy?.(failureOf(event, error));
}

/** Fields by which a message is delimited, or that concern one connection (RFC 9110 §7.6.1). */
function isFraming(name: string): boolean {
  return FRAMING.has(fieldKindOf(name));
}

const FRAMING: ReadonlySet<FieldKind> = new Set([
  FieldKind.contentLength,
  FieldKind.transferEncoding,
  FieldKind.connection,
  FieldKind.upgrade,
  FieldKind.expect,
  FieldKind.trailer,
  FieldKind.hopByHop,
  FieldKind.disguised,
]);

/** Changes to such fields have no effect from now on. */
function lockFraming(toApp: ClientRequest): void {
  const [set, append] = [toApp.setHeader.bind(toApp), toApp.appendHeader.bind(toApp)];
  const remove = toApp.removeHeader.bind(toApp);
  toApp.setHeader = (name, value) => (isFraming(name) ? toApp : set(name, value));
  toApp.appendHeader = (name, value) => (isFraming(name) ? toApp : append(name, value));
  toApp.removeHeader = (name) => (isFraming(name) ? undefined : remove(name));
}

type Headers = IncomingMessage["headers"];

/** What wasn't changed stays as it came, in its order; what was set follows. */
function changedFields(rawHeaders: readonly string[], before: Headers, after: Headers): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)].map((name) => name.toLowerCase()));
  const changed = new Set([...names].filter((name) => before[name] !== after[name] && !isFraming(name)));
  const kept = rawHeaders.filter((_, index) => !changed.has((rawHeaders[index - (index % 2)] ?? "").toLowerCase()));
  return [...kept, ...[...changed].flatMap((name) => [after[name] ?? []].flat().flatMap((value) => [name, value]))];
}
