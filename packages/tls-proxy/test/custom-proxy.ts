import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { HttpProxyEvents } from "../src/http-proxy/index.ts";
import { startProxy } from "./start-proxy.ts";

export type Attach = (proxy: HttpProxyEvents) => void;

/** The head of a request after which the connection ends. */
export const get = (fields = "", path = "/") =>
  `GET ${path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n${fields}\r\n`;
/** tls-proxy with listeners of somebody's own. */
export const startCustom = (app: { port: number }, attach: Attach) =>
  startProxy(app.port, { engine: "http-proxy", attach });
export const onRequest =
  (listener: (toApp: ClientRequest, request: IncomingMessage, response: ServerResponse) => unknown): Attach =>
  (proxy) =>
    void proxy.on("proxyReq", listener);
export const onAnswer =
  (listener: (fromApp: IncomingMessage, request: IncomingMessage, response: ServerResponse) => unknown): Attach =>
  (proxy) =>
    void proxy.on("proxyRes", listener);
