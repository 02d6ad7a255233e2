import { type Socket, connect } from "node:net";
import { type Address, systemCode } from "@pillion/kit";
import { BodyReader } from "../http1/body.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { AnswerHeads } from "./answer-heads.ts";
import type { AnswerReceiver, FailureKind } from "./answer-receiver.ts";
import type { Expectation, Upstream } from "./upstream.ts";
import { switchProblem, valuesIn } from "./web-socket-answer.ts";

/** What a connection tells of itself. */
export interface UpstreamConnectionOwner {
  connected(connection: UpstreamConnection): void;
  /** Its exchange is over and it can take another one. */
  idle(connection: UpstreamConnection): void;
  closed(connection: UpstreamConnection, error: Error | undefined): void;
}

/** Larger answers go on in pieces of this size. Only pages that were read into take memory. */
const READ_SIZE = 256 * 1024;
/** How long an app that has answered may read nothing more of its request before it is left, milliseconds. */
const LINGER = 5_000;

/** A connection to the app: carries one exchange after the other, and reads their answers (RFC 9112). */
export class UpstreamConnection implements Upstream {
  /** How many requests it has carried before. */
  uses = 0;
  /** In rounds of its owner. */
  idleSince = 0;
  readonly #owner: UpstreamConnectionOwner;
  readonly #socket: Socket;
  readonly #heads = new AnswerHeads();
  readonly #body = new BodyReader();
  #receiver: AnswerReceiver | undefined;
  #expectation: Expectation = { isHead: false, wantsUpgrade: false };
  #state: "head" | "body" | "tunnel" = "head";
  #requestEnded = false;
  #persists = false;
  #answered = false;
  /** The answer is complete, but not yet taken. */
  #isComplete = false;
  /** Whether what is wrong with the body came in one read with the head. */
  #headIsNew = false;
  /** What was read of a head that isn't complete. */
  #partial: Buffer | undefined;
  #error: Error | undefined;
  /** The app, or we, have ended it. */
  #gone = false;

  /** @param connectTimeout milliseconds */
  constructor(address: Address, connectTimeout: number, owner: UpstreamConnectionOwner) {
    this.#owner = owner;
    // One buffer for the connection's life, in place of one for every read.
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_SIZE),
      callback: (length: number, bytes: Uint8Array) => this.#read(bytes as Buffer, length),
    };
    this.#socket = connect({ ...address, noDelay: true, onread });
    const timer = setTimeout(() => this.#socket.destroy(timedOut(connectTimeout)), connectTimeout);
    this.#socket
      .once("connect", () => {
        clearTimeout(timer);
        owner.connected(this);
      })
      .on("drain", () => this.#receiver?.writable())
      .once("end", () => this.#end())
      .once("error", (error) => (this.#error = error))
      .once("close", () => {
        clearTimeout(timer);
        this.#closed();
      });
  }

  /** Starts an exchange; the request's head is to be written next. */
  begin(receiver: AnswerReceiver, expectation: Expectation): void {
    this.#receiver = receiver;
    this.#expectation = expectation;
    this.#state = "head";
    this.#requestEnded = this.#answered = this.#isComplete = false;
  }

  /** @returns whether it takes more now; if not, `writable` is called later */
  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  /** Nothing of the request is missing any more. */
  requestEnded(): void {
    this.#requestEnded = true;
  }

  /** A tunnel's client has said all. */
  end(): void {
    this.#socket.end();
  }

  resume(): void {
    if (this.#isComplete && this.#receiver !== undefined) this.#finish(this.#receiver);
    this.#socket.resume();
  }

  /** Ends the connection at once, whatever is under way; the receiver hears no more. */
  abort(): void {
    this.#gone = true;
    this.#receiver = undefined;
    this.#socket.destroy();
  }

  get usable(): boolean {
    return !this.#gone;
  }

  /** @returns whether to read on */
  #read(bytes: Buffer, length: number): boolean {
    const receiver = this.#receiver;
    // Nobody asked: what an app says then belongs to no request.
    if (receiver === undefined) return this.#drop();
    const problem = this.#take(receiver, bytes, length);
    if (problem !== undefined) {
      this.#fail("malformed", new Error(problem), this.#headIsNew);
      return this.#drop();
    }
    const complete = this.#state === "body" && this.#body.ended;
    const taken = receiver.flush(complete);
    if (!complete || this.#receiver !== receiver) return taken;
    if (taken) this.#finish(receiver);
    else this.#isComplete = true;
    return taken;
  }

  /** Hands on what was read. @returns what is wrong with it */
  #take(receiver: AnswerReceiver, read: Buffer, length: number): string | undefined {
    let bytes = read;
    let position = 0;
    let end = length;
    if (this.#partial !== undefined) {
      bytes = Buffer.concat([this.#partial, read.subarray(0, length)]);
      end = bytes.length;
      this.#partial = undefined;
    }
    while (this.#state === "head" && position < end) {
      const head = this.#heads.read(bytes, position, end, this.#expectation.isHead);
      if (typeof head === "string") return head;
      if (head === undefined) {
        this.#partial = Buffer.from(bytes.subarray(position, end));
        return undefined;
      }
      position += head.end - head.start;
      this.#answered = true;
      if (head.status === 101) {
        const problem = switchProblem(valuesIn(head.fields), this.#expectation);
        if (problem !== undefined) return problem;
      }
      if (head.isInformational) receiver.informational(head);
      else this.#begin(receiver, head);
    }
    if (this.#receiver !== receiver || position === end) return undefined;
    if (this.#state === "tunnel") receiver.data(bytes, position, end);
    else {
      const next = this.#body.read(bytes, position, end, receiver);
      if (typeof next === "string") {
        this.#headIsNew = position > 0;
        return next;
      }
      // Behind a complete answer: it belongs to no request, and nobody shall take it for the next answer.
      if (next < end) this.#persists = false;
    }
    return undefined;
  }

  #begin(receiver: AnswerReceiver, head: ResponseHead): void {
    this.#state = head.status === 101 ? "tunnel" : "body";
    this.#persists = head.persists;
    this.#body.begin(head.framing, head.contentLength);
    receiver.head(head);
  }

  #finish(receiver: AnswerReceiver): void {
    this.#receiver = undefined;
    this.#isComplete = false;
    this.uses++;
    const reusable = this.#persists && this.#requestEnded && this.#socket.writableLength === 0;
    // Idle first: the client may have its next request here already.
    if (reusable) this.#owner.idle(this);
    else this.#socket.setTimeout(LINGER, () => this.#socket.destroy()).destroySoon();
    receiver.ended();
  }

  #drop(): false {
    this.#gone = true;
    this.#socket.destroy();
    return false;
  }

  /** The app has said all there is. */
  #end(): void {
    this.#gone = true;
    const receiver = this.#receiver;
    const isComplete = this.#state === "tunnel" || (this.#state === "body" && this.#body.endsByClose);
    if (receiver === undefined || !isComplete) return;
    receiver.flush(true);
    this.#receiver = undefined;
    receiver.ended();
  }

  #closed(): void {
    if (this.#isComplete && this.#receiver !== undefined) this.#finish(this.#receiver);
    const error = this.#error ?? new Error("the app closed the connection");
    this.#fail(this.#answered ? "broke-off" : this.#unansweredKind, error);
    this.#owner.closed(this, this.#error);
  }

  /** Whoever closes what it hasn't read resets it (RFC 2525 §2.17), such as a listener what it hasn't accepted. */
  get #unansweredKind(): FailureKind {
    if (this.uses > 0) return "stale";
    return systemCode(this.#error) === "ECONNRESET" || systemCode(this.#error) === "EPIPE" ? "unread" : "broke-off";
  }

  #fail(kind: FailureKind, error: Error, headIsNew = false): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.failed({ kind, error, headIsNew });
  }
}

function timedOut(connectTimeout: number): Error {
  return Object.assign(new Error(`no connection within ${connectTimeout} ms`), { code: "ETIMEDOUT" });
}
