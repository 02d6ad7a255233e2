import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { TLSSocket } from "node:tls";
import { bodyOf } from "./body.ts";

/** Where a client goes. */
export interface Target {
  readonly port: number;
  readonly ca: string;
}

/** What became of a request; a number is a status other than 200. */
export type Outcome = "whole" | "cut off" | "wrong" | "failed" | number;

export interface Got {
  readonly outcome: Outcome;
  readonly error?: unknown;
  /** Of the certificate that was met. */
  readonly serial?: string;
}

/**
 * A client as libraries are: it keeps its connection, goes elsewhere when that is closed, and sends a request again if a
 * kept connection ended as it went out (RFC 9112 §9.3.1).
 */
export class LoadClient {
  /** Requests that were sent again. */
  repeated = 0;
  readonly #target: () => Target;
  readonly #agent: Agent;
  readonly #keeps: boolean;
  #at: Target;

  /** @param target asked for every new connection */
  constructor(target: () => Target, keepAlive: boolean) {
    this.#target = target;
    this.#at = target();
    this.#keeps = keepAlive;
    this.#agent = new Agent({ keepAlive, maxSockets: 1, maxCachedSessions: 0 });
  }

  /** Asks for the body of that name; `isRepeat` is for itself. */
  async get(id: string, length: number, isRepeat = false): Promise<Got> {
    if (!this.#keeps) this.#at = this.#target();
    const asked = request({
      ...this.#at,
      agent: this.#agent,
      host: "127.0.0.1",
      servername: "localhost",
      path: `/${id}/${length}`,
    });
    try {
      asked.end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      asked.on("error", () => {}); // the response tells
      return await this.#read(response, bodyOf(id, length));
    } catch (error) {
      this.#at = this.#target();
      if (isRepeat || !(asked.reusedSocket || isRefused(error))) return { outcome: "failed", error };
      this.repeated++;
      return await this.get(id, length, true);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #read(response: IncomingMessage, expected: Buffer): Promise<Got> {
    const serial = (response.socket as TLSSocket).getPeerX509Certificate()?.serialNumber ?? "";
    if (response.headers.connection === "close") this.#at = this.#target();
    const pieces: Buffer[] = [];
    let error: unknown;
    try {
      for await (const piece of response) pieces.push(piece as Buffer);
    } catch (broken) {
      error = broken;
    }
    if (response.statusCode !== 200) return { outcome: response.statusCode ?? 0, serial };
    const body = Buffer.concat(pieces);
    if (!body.equals(expected.subarray(0, body.length))) return { outcome: "wrong", serial };
    if (error !== undefined) return { outcome: "cut off", error, serial };
    return { outcome: body.length === expected.length ? "whole" : "wrong", serial };
  }
}

function isRefused(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
}
