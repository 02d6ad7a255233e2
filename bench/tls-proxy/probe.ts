import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import type { IncomingMessage } from "node:http";
import { KIBIBYTE, MEBIBYTE, type TestBed } from "./test-bed.ts";

/** What the app knows. */
export type Path = "/1k" | "/1m" | "/upload";

/** What a proxy may add to an upload on its way: fields, and the framing of chunks. */
const OVERHEAD = 64 * 1024;

/** Asks once, as a client that checks the certificate and each byte. @throws when the answer isn't the app's */
export async function probe(bed: TestBed, port: number, path: Path): Promise<void> {
  const ca = await readFile(bed.certificate);
  const method = path === "/upload" ? "POST" : "GET";
  const headers = path === "/upload" ? { "content-length": MEBIBYTE } : {};
  const sent = request({ host: "127.0.0.1", port, path, method, headers, ca, agent: false, timeout: 10_000 });
  sent.on("timeout", () => sent.destroy(new Error("no answer within 10 s")));
  if (path === "/upload") createReadStream(bed.upload).pipe(sent);
  else sent.end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const body = await buffer(answer);
  if (answer.statusCode !== 200)
    throw new Error(`${path} was answered with ${answer.statusCode}: ${body.toString().slice(0, 200)}`);
  const wrong = whatIsWrong(path, body);
  if (wrong !== undefined) throw new Error(`the answer to ${path} is not the app's: ${wrong}`);
}

function whatIsWrong(path: Path, body: Buffer): string | undefined {
  if (path === "/upload") {
    const received = Number(body.toString());
    return received >= MEBIBYTE && received < MEBIBYTE + OVERHEAD
      ? undefined
      : `the app received ${body.toString()} bytes`;
  }
  const expected = path === "/1k" ? Buffer.alloc(KIBIBYTE, "k") : Buffer.alloc(MEBIBYTE, "m");
  return body.equals(expected) ? undefined : `${body.length} bytes, or other ones`;
}
