import { type ServerHttp2Stream, constants } from "node:http2";
import type { Outgoing } from "../http1/outgoing.ts";
import { type Refusal, bodyTooLong } from "../http1/refusal.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { BodyPace } from "../relay/body-pace.ts";
import type { RelayLimits } from "../relay/relay-options.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { countBuffer } from "../young-buffers.ts";
import { RequestBody } from "./request-body.ts";

/** What an upload's exchange is told. */
export interface UploadOwner {
  /** The body is refused: with an answer, or where it isn't what was announced with a reset. */
  refuseBody(refusal: Refusal | "malformed"): void;
}

/** Carries a stream's request body to the app, no faster than the app takes it and no slower than clients may be. */
export class Upload {
  readonly #stream: ServerHttp2Stream;
  readonly #limits: RelayLimits;
  readonly #owner: UploadOwner;
  readonly #body: RequestBody;
  readonly #pace: BodyPace;
  #upstream: Upstream | undefined;
  #trailers: readonly string[] | undefined;

  /** @param out shared; empty between two events */
  constructor(stream: ServerHttp2Stream, head: RequestHead, limits: RelayLimits, out: Outgoing, owner: UploadOwner) {
    this.#stream = stream;
    this.#limits = limits;
    this.#owner = owner;
    this.#body = new RequestBody(head, out);
    this.#pace = new BodyPace(limits);
    if (!this.#body.ended) stream.once("trailers", (_fields, _flags, raw) => (this.#trailers = raw));
  }

  get length(): number {
    return this.#body.length;
  }

  get ended(): boolean {
    return this.#body.ended;
  }

  get isTooLong(): boolean {
    const { maxBody } = this.#limits;
    return maxBody > 0 && Math.max(this.#body.announced, this.#body.length) > maxBody;
  }

  get tooLong(): Refusal {
    return bodyTooLong(this.#limits.maxBody);
  }

  start(upstream: Upstream): void {
    if (this.#body.ended) return upstream.requestEnded();
    this.#upstream = upstream;
    this.#pace.begin(performance.now());
    this.#stream.on("data", (bytes: Buffer) => this.#read(bytes)).once("end", () => this.#end());
  }

  /** The app wants no more of it. */
  stop(): void {
    this.#upstream = undefined;
  }

  /** Called every second. */
  look(now: number): void {
    if (this.#upstream === undefined || this.#body.ended) return;
    const refusal = this.#pace.judge(now, this.length, !this.#stream.isPaused());
    if (refusal !== undefined) this.#owner.refuseBody(refusal);
  }

  #read(bytes: Buffer): void {
    countBuffer(bytes.length);
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    const framed = this.#body.data(bytes);
    if (framed === undefined) this.#owner.refuseBody("malformed");
    else if (this.isTooLong) this.#owner.refuseBody(this.tooLong);
    else if (!upstream.write(framed)) this.#stream.pause();
  }

  #end(): void {
    const upstream = this.#upstream;
    // What was reset ends as well, and must not look whole to the app.
    const isWhole = this.#stream.rstCode === constants.NGHTTP2_NO_ERROR && !this.#stream.aborted;
    if (upstream === undefined || !isWhole) return;
    const last = this.#body.end(this.#trailers);
    if (last === undefined) return this.#owner.refuseBody("malformed");
    if (last.length > 0) upstream.write(last);
    upstream.requestEnded();
  }
}
