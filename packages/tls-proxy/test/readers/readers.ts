import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { available } from "../available.ts";
import { startHaproxy } from "../haproxy.ts";
import { type StartedProxy, connectTo, startProxy } from "../start-proxy.ts";
import { startNginx } from "./nginx.ts";
import { type Reading, type Recorder, startRecorder } from "./recorder.ts";

/** `plain` is the recorder alone: it takes every line as it stands, and so shows what the proxy thinks that it passes on. */
export const readerNames = ["plain", "node", "nginx", "haproxy"] as const;
export type ReaderName = (typeof readerNames)[number];

export const installed = (await available("nginx", "nginx", "-v")) && (await available("haproxy", "haproxy", "-v"));

/** What became of a request that the proxy passed on: it was read, or its reader refused it with a status. */
export type Outcome = Reading | number;

export interface Conversation {
  readonly outcomes: readonly Outcome[];
  /** The status of the proxy's own refusal, the last answer then. */
  readonly refused: number | undefined;
}

export interface Reader extends AsyncDisposable {
  readonly name: ReaderName;
  /** Sends a client's bytes through the proxy, and says how this reader took them. */
  read(bytes: string): Promise<Conversation>;
}

/** One of the readers with a proxy of its own before it. */
export async function startReader(name: ReaderName): Promise<Reader> {
  const resources = new AsyncDisposableStack();
  const recorder = resources.use(await (name === "node" ? startNodeRecorder() : startRecorder()));
  let { port } = recorder;
  if (name === "nginx") port = resources.use(await startNginx(port)).port;
  if (name === "haproxy") port = resources.use(await startHaproxy(passingOnTo(port))).port;
  const proxy = resources.use(await startProxy(port));
  return {
    name,
    read: async (bytes) => conversation(await answersTo(proxy, bytes), recorder.take()),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Node's own server takes the requests down itself. */
async function startNodeRecorder(): Promise<Omit<Recorder, "open">> {
  let readings: Reading[] = [];
  const server = createServer((request, response) => {
    const { method = "", url: target = "", headers } = request;
    let body = "";
    request
      .on("data", (bytes: Buffer) => (body += bytes.toString("latin1")))
      .on("end", () => {
        readings.push({ method, target, body, odd: String(headers["x-odd"] ?? "") });
        response.writeHead(200, { "Content-Length": 0 }).end();
      });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = readings;
      readings = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const passingOnTo = (app: number) => (port: number) =>
  `
  frontend clients
    mode http
    bind 127.0.0.1:${port}
    default_backend app
  backend app
    mode http
    server app 127.0.0.1:${app}
`;

/** How long a connection with nothing more to say stays open before its request counts as one without an end, milliseconds. */
const WITHOUT_END = 1_000;

async function answersTo(proxy: StartedProxy, bytes: string): Promise<string> {
  const { socket, send, closed } = await connectTo(proxy);
  socket.setTimeout(WITHOUT_END, () => socket.destroy());
  send(bytes);
  return await closed;
}

/** Answers come in the order of their requests, so each 200 is for the next reading. */
function conversation(answers: string, readings: readonly Reading[]): Conversation {
  const statuses = [...answers.matchAll(/HTTP\/1\.[01] ([2-9]\d\d) /g)].map(([, status]) => Number(status));
  const refused = answers.includes("The request was refused: ") ? statuses.pop() : undefined;
  let count = 0;
  const outcomes = statuses.map((status) => (status === 200 ? (readings[count++] ?? status) : status));
  return { outcomes: [...outcomes, ...readings.slice(count)], refused };
}
