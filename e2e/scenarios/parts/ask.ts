import { once } from "node:events";
import { type IncomingMessage, request as askPlain } from "node:http";
import { type RequestOptions, request as askTls } from "node:https";
import { text } from "node:stream/consumers";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** Asks over a connection of its own, so that nothing of an earlier answer plays a part. Rejects when none comes in 10 s. */
export async function ask(url: string, tls: Pick<RequestOptions, "ca"> = {}): Promise<Answer> {
  const start = url.startsWith("https:") ? askTls : askPlain;
  const request = start(url, { ...tls, agent: false, family: 4, signal: AbortSignal.timeout(10_000) }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
}
