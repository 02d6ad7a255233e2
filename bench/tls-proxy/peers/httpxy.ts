import { createProxyServer } from "httpxy";
import { keepAliveAgent, serve, upstream } from "./tls-front.ts";

const proxy = createProxyServer({ target: upstream, agent: keepAliveAgent(), xfwd: true });
serve((request, response) => {
  proxy.web(request, response).catch((error: Error) => {
    console.error(error.message);
    response.destroy();
  });
});
