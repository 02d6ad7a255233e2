import { ResponseHead, parseResponseHead } from "../http1/response-head.ts";

/** Used within one call only. */
const HEAD = new ResponseHead();

/**
 * An answer's head as one of HTTP/1.1, read by the rules for those.
 * @param raw names and values in turn
 * @param isWhole nothing follows
 * @returns it, valid until the next call; or what is wrong with it
 */
export function answerHead(raw: readonly string[], isHead: boolean, isWhole: boolean): ResponseHead | string {
  const status = Number(raw[raw.indexOf(":status") + 1]);
  let lines = "";
  let hasLength = false;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (name.startsWith(":")) continue;
    if (name === "content-length") hasLength = true;
    lines += `${name}: ${raw[index + 1]}\r\n`;
  }
  const hasBody = !isHead && status >= 200 && status !== 204 && status !== 304;
  if (hasBody && !hasLength) lines += isWhole ? "content-length: 0\r\n" : "transfer-encoding: chunked\r\n";
  const bytes = Buffer.from(`HTTP/1.1 ${status} \r\n${lines}\r\n`, "latin1");
  const end = parseResponseHead(HEAD, bytes, 0, bytes.length, isHead);
  if (typeof end === "string") return end;
  return end === bytes.length ? HEAD : "its head holds a line end";
}
