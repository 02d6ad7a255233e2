import { once } from "node:events";
import { type IncomingMessage, type Server, createServer } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import httpProxy from "http-proxy";

/** http-proxy 1.18.1 as its manual shows it, on plain HTTP: what the engine's users are kept from. */
export interface StockProxy extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
  readonly proxy: httpProxy;
}

export async function startStockProxy(appPort: number, options: httpProxy.ServerOptions = {}): Promise<StockProxy> {
  const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${appPort}`, ...options });
  proxy.on("error", (_error: Error, _request: IncomingMessage, socket) => void socket.end());
  const server = createServer((request, response) => proxy.web(request, response));
  server.on("upgrade", (request, socket, head) => proxy.ws(request, socket, head));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    server,
    proxy,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Sends bytes on one plain connection and returns everything that came until it was closed. */
export async function plainExchange(port: number, bytes: string): Promise<string> {
  const socket: Socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("data", (chunk) => (received += chunk.toString("latin1"))).on("error", () => {});
  socket.write(bytes, "latin1");
  await once(socket, "close");
  return received;
}
