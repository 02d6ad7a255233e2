import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, get } from "node:https";
import type { Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRawApp } from "../raw-app.ts";
import { type StartedProxy, startProxy } from "../start-proxy.ts";
import { type Answer, answer } from "./app-answers.ts";
import { SEED } from "./run.ts";

interface Received {
  readonly status: number;
  readonly odd: string;
  readonly body: string;
}

let current: Answer;
let proxy: StartedProxy;
const resources = new AsyncDisposableStack();
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  const answered = new WeakMap<Socket, number>();
  const app = resources.use(
    await startRawApp((socket, received) => {
      const requests = received.split("\r\n\r\n").length - 1;
      if (requests === (answered.get(socket) ?? 0)) return;
      answered.set(socket, requests);
      void write(socket, current);
    }),
  );
  proxy = resources.use(await startProxy(app.port));
});

afterAll(async () => {
  agent.destroy();
  await resources.disposeAsync();
});

test.each([
  ["Node's client on one connection", 150, receiveByNode],
  ["curl", 40, receiveByCurl],
] as const)("%s receives what the app answered, however it was delimited", async (_name, numRuns, receive) => {
  await fc.assert(
    fc.asyncProperty(answer, async (one) => {
      current = one;
      expect(await receive()).toEqual(one.meant);
    }),
    { seed: SEED, numRuns },
  );
});

/** In the pieces that the answer comes in, each one read by the proxy before the next is written. */
async function write(socket: Socket, { pieces, closes }: Answer): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    await new Promise((resolve) => socket.write(piece, "latin1", resolve));
    await new Promise(setImmediate);
  }
  if (closes) socket.end();
}

async function receiveByNode(): Promise<Received> {
  const request = get({ port: proxy.port, host: "localhost", ca: proxy.ca, agent });
  const [response] = await once(request, "response");
  let body = "";
  for await (const bytes of response) body += bytes.toString("latin1");
  return { status: response.statusCode, odd: response.headers["x-odd"] ?? "", body };
}

async function receiveByCurl(): Promise<Received> {
  const options = ["-sS", "--http1.1", "--ipv4", "--cacert", proxy.caPath];
  const told = ["--write-out", "%{stderr}%{http_code} %header{x-odd}"];
  const child = spawn("curl", [...options, ...told, `https://localhost:${proxy.port}/`]);
  let [body, head] = ["", ""];
  child.stdout.on("data", (bytes: Buffer) => (body += bytes.toString("latin1")));
  child.stderr.on("data", (bytes: Buffer) => (head += bytes.toString("latin1")));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`curl failed with ${code}: ${head}`);
  // curl shows an empty value as its line end.
  return { status: Number(head.slice(0, 3)), odd: head.slice(4).replace("\r", ""), body };
}
