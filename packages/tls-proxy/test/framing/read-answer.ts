const HEAD_END = "\r\n\r\n";

/**
 * An answer's bytes with the chunks of its body put together: heads, body, and the lines of the trailer section. Where
 * the framing isn't what the standard says, or isn't there, the bytes stay as they are.
 * @returns nothing while the answer isn't complete
 */
export function readAnswer(bytes: string, isHead: boolean): string | undefined {
  let headStart = 0;
  let headEnd = 0;
  let status = 100;
  while (status < 200) {
    headStart = headEnd;
    headEnd = bytes.indexOf(HEAD_END, headStart) + HEAD_END.length;
    if (headEnd < headStart + HEAD_END.length) return undefined;
    status = Number(bytes.slice(headStart + 9, headStart + 12));
    if (status === 101 || !(status >= 100)) return bytes;
  }
  const head = bytes.slice(headStart, headEnd);
  const body = bytes.slice(headEnd);
  if (isHead || status === 204 || status === 304) return bytes;
  if (/^Transfer-Encoding: chunked\r$/m.test(head)) {
    const data = readChunks(body);
    return data === undefined ? undefined : bytes.slice(0, headEnd) + data;
  }
  const [, length] = /^Content-Length: ?(\d+)\r$/m.exec(head) ?? [];
  return length !== undefined && body.length >= Number(length) ? bytes : undefined;
}

function readChunks(body: string): string | undefined {
  let data = "";
  let position = 0;
  for (;;) {
    const [line, digits] = /^([0-9a-f]+)\r\n/.exec(body.slice(position, position + 20)) ?? [];
    if (line === undefined || digits === undefined) return undefined;
    const size = Number.parseInt(digits, 16);
    position += line.length;
    if (size === 0) break;
    data += body.slice(position, position + size);
    position += size + 2;
    if (body.slice(position - 2, position) !== "\r\n") return undefined;
  }
  const rest = body.slice(position);
  if (rest.startsWith("\r\n")) return data + rest.slice(2);
  const end = rest.indexOf(HEAD_END);
  return end < 0 ? undefined : data + rest.slice(0, end + 2) + rest.slice(end + HEAD_END.length);
}
