import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { type RequestOptions, request as httpsRequest } from "node:https";
import { buffer } from "node:stream/consumers";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Asks over a connection of its own, so that nothing of an earlier answer plays a part. Rejects when none comes. */
export async function ask(url: string, signal: AbortSignal, tls: Pick<RequestOptions, "ca"> = {}): Promise<Answer> {
  const start = url.startsWith("https:") ? httpsRequest : httpRequest;
  const request = start(url, { ...tls, agent: false, family: 4, signal });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) };
}

/** The text of an answer, or nothing when there is none: not listening yet, or not any more. */
export async function askForText(
  url: string,
  signal: AbortSignal,
): Promise<{ status: number; text: string } | undefined> {
  try {
    const { status, body } = await ask(url, AbortSignal.any([signal, AbortSignal.timeout(5_000)]));
    return { status, text: body.toString().trim() };
  } catch {
    return undefined;
  }
}
