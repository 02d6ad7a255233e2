import type { ServerOptions } from "node:http2";

/** Bytes of a body that a client may send ahead of its app, a stream. */
const STREAM_WINDOW = 256 * 1024;
/** And all streams of a connection, before the proxy has read them. */
export const SESSION_WINDOW = 1024 * 1024;

/** What a client's session may be. What isn't said here is nghttp2's own: eight CONTINUATION frames, 1000 unsent acknowledgements. */
export const SESSION_OPTIONS: ServerOptions = {
  settings: {
    maxConcurrentStreams: 128,
    initialWindowSize: STREAM_WINDOW,
    maxHeaderListSize: 32 * 1024,
    enableConnectProtocol: true, // WebSockets (RFC 8441 §3)
    enablePush: false,
  },
  // Cookies come in pieces; whether there are too many fields is judged when they are joined.
  maxHeaderListPairs: 256,
  /** MB: heads, unsent answers, unanswered PING and SETTINGS. */
  maxSessionMemory: 32,
  maxSettings: 32,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  // Behind the budget of resets that sessions have here.
  streamResetBurst: 512,
  streamResetRate: 66,
  // nghttp2 would drop such a field without a word; here it is refused.
  strictFieldWhitespaceValidation: false,
};
