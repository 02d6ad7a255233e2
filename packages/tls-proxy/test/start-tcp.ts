import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, type ListenOptions, type Socket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, type TLSSocket, connect } from "node:tls";
import { type StartedSidecar, startSidecar } from "@pillion/kit/testing";
import { tlsProxy } from "../src/index.ts";

export interface StartedTcp extends AsyncDisposable {
  readonly port: number;
  readonly ca: string;
  readonly caPath: string;
  readonly sidecar: StartedSidecar;
  /** A metric's value by name and labels, as in `tcp_connections_total{outcome="ended"}`. */
  metric(series: string): Promise<number>;
}

type Settings = Partial<Parameters<typeof tlsProxy>[0]>;

/** The whole sidecar with `--mode tcp`, on a free loopback port, with a development certificate. */
export async function startTcp(app: number | string, settings: Settings = {}): Promise<StartedTcp> {
  const stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-tcp-"));
  const upstream = typeof app === "number" ? `127.0.0.1:${app}` : app;
  const sidecar = await startSidecar(
    tlsProxy({ mode: "tcp", upstream, listen: "127.0.0.1:0", stateDir, ...settings }),
    "20s",
  );
  const caPath = join(stateDir, "development-ca/ca.pem");
  return {
    port: Number((sidecar.addresses["tls"] ?? sidecar.addresses["https"])?.split(":").at(-1)),
    ca: await readFile(caPath, "utf8"),
    caPath,
    sidecar,
    async metric(series) {
      const [name = "", labels = ""] = series.split(/[{}]/);
      const { text } = await sidecar.get("/metrics");
      const line = text
        .split("\n")
        .find((one) => one.startsWith(`tls_proxy_${name}`) && !one.startsWith("#") && one.includes(labels));
      return Number(line?.split(" ").at(-1) ?? Number.NaN);
    },
    async [Symbol.asyncDispose]() {
      await sidecar.stop();
      await rm(stateDir, { recursive: true });
    },
  };
}

export interface TcpApp extends AsyncDisposable {
  readonly port: number;
  /** Every connection so far, in order. */
  readonly connections: readonly Socket[];
}

/** An app of plain TCP, or on a unix socket, that keeps its half open when the client ends its own. */
export async function startTcpApp(
  serve: (socket: Socket) => void,
  where: ListenOptions = { host: "127.0.0.1", port: 0 },
): Promise<TcpApp> {
  const connections: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.push(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  server.listen(where);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

export async function connectTls(
  { port, ca }: Pick<StartedTcp, "port" | "ca">,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const ours = { port, host: "127.0.0.1", ca, servername: "localhost", allowHalfOpen: true };
  const socket = connect({ ...ours, ...options } as ConnectionOptions);
  await once(socket, "secureConnect");
  return socket;
}

/** How a socket's incoming side came to its end, with all that it got: `end`, or an error's code. */
export async function ending(socket: Socket): Promise<{ readonly how: string; readonly text: string }> {
  const chunks: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on("data", (bytes: Buffer) => chunks.push(bytes));
  socket.once("end", () => resolve("end"));
  socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  socket.once("close", () => resolve("close"));
  const how = await promise;
  return { how, text: Buffer.concat(chunks).toString("latin1") };
}
