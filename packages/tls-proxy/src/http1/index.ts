export { type BodySink, ChunkedDecoder } from "./chunked.ts";
export type { ConnectionOptions } from "./connection-options.ts";
export { FieldKind, fieldKindOf } from "./field-kind.ts";
export { Fields, INCOMPLETE } from "./fields.ts";
export type { Refusal } from "./refusal.ts";
export { type Framing, RequestHead, parseRequestHead } from "./request-head.ts";
export { ResponseHead, parseResponseHead } from "./response-head.ts";
