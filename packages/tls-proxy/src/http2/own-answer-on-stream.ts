import { type ServerHttp2Stream, constants } from "node:http2";
import type { AnswerRules } from "../answers/answer-rules.ts";
import { type OwnAnswer, answerParts } from "../answers/own-answer.ts";

interface Circumstances {
  /** What the client accepts. */
  readonly accept: string;
  readonly isHead: boolean;
  readonly rules: AnswerRules;
}

/** Answers with a short page, and takes no more of the request. */
export function answerOnStream(
  stream: ServerHttp2Stream,
  own: OwnAnswer,
  { accept, isHead, rules }: Circumstances,
): void {
  const { fields, body } = answerParts(own, accept, rules);
  const lowerCased = fields.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text));
  stream.respond([":status", `${own.status}`, ...lowerCased], { endStream: isHead });
  if (!isHead) stream.end(body); // for HEAD Node has ended it already
  endRequest(stream);
}

/** The answer is whole: the client needn't send what is left of its request (RFC 9113 §8.1). */
export function endRequest(stream: ServerHttp2Stream): void {
  if (stream.readableEnded || stream.endAfterHeaders) return;
  stream.close(constants.NGHTTP2_NO_ERROR);
  stream.resume(); // it isn't closed before what came of it was read, and neither is its session
}
