import type { Smuggling } from "./smuggling.ts";

const HIDDEN = "GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n";
const LAST = "0\r\n\r\n";

/** Ends of a head that one reader sees and another doesn't. */
const HEAD_ENDS = [
  "\n\n",
  "\n\r\n",
  "\r\n\n",
  "\r\r",
  "\r\r\n",
  "\n\r",
  "\0\0",
  "\r\n \r\n",
  "\r\n\t\r\n",
  "\r\n\x0b\r\n",
];

/** Fields of a request to `/payload`, and what stands behind its head. */
const behind = (name: string, fields: string, body: string, only?: readonly string[]): HeadSmuggling => ({
  name,
  bytes: (method) => `${method} /payload HTTP/1.1\r\nHost: app\r\n${fields}\r\n${body}`,
  ...(only && { methods: only }),
});

interface HeadSmuggling extends Smuggling {
  /** The methods that a request is hidden with; all if nothing is said. */
  readonly methods?: readonly string[];
}

/** Requests that hide where a head ends, and behind requests that are the last ones of their connections. */
export const SMUGGLING_IN_HEADS: readonly HeadSmuggling[] = [
  ...HEAD_ENDS.map((end) => ({
    name: `a head that ends in ${JSON.stringify(end)}`,
    bytes: (method: string) => `${method} /payload HTTP/1.1\r\nHost: app\r\nX: y${end}${HIDDEN}`,
  })),
  {
    name: "a head's end in the target",
    bytes: (method) => `${method} /payload HTTP/1.1\nHost: app\n\n${HIDDEN}X: HTTP/1.1\r\nHost: app\r\n\r\n`,
  },
  behind("behind a request that ends its connection", "Connection: close\r\n", HIDDEN),
  behind("behind ends in a list", "Connection: x, CLOSE\r\n", HIDDEN),
  behind(
    "behind a wish for WebSocket that isn't granted",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n",
    HIDDEN,
    ["GET"],
  ),
  behind("a trailer line of white space", "Transfer-Encoding: chunked\r\n", `0\r\nX: y\r\n \r\n${HIDDEN}`),
  behind("a chunk that ends in any two octets", "Transfer-Encoding: chunked\r\n", `1\r\na\n\r${LAST}${HIDDEN}`),
  behind("a chunk size that overflows 32 bits", "Transfer-Encoding: chunked\r\n", `100000000\r\n\r\n${HIDDEN}`),
];
