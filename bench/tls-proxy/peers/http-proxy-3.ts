import { createProxyServer } from "http-proxy-3";
import { keepAliveAgent, serve, upstream } from "./tls-front.ts";

// without an agent it would close its connection to the app each time, and the client's with it
const proxy = createProxyServer({ target: upstream, agent: keepAliveAgent(), xfwd: true });
proxy.on("error", (error) => console.error(error.message));
serve((request, response) => proxy.web(request, response));
