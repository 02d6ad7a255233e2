import { defineOptions } from "@pillion/kit";
import { hostNameProblem } from "./host-names.ts";

export const options = defineOptions(
  {
    listen: { type: "address", default: "127.0.0.1:8443", help: "Where HTTPS is served; :8443 is all interfaces." },
    upstream: { type: "address", help: "Where the app listens for plain HTTP." },
    appPort: { type: "integer", min: 1, max: 65_535, help: "Short for --upstream 127.0.0.1:N." },
    engine: {
      type: "choice",
      choices: ["relay", "http-proxy"],
      default: "relay",
      help: "What carries HTTP/1.1 to the app: Pillion's own relay, or the npm package http-proxy behind the same front.",
    },
    upstreamWait: {
      type: "duration",
      default: "5s",
      help: "How long a request is held while nothing listens at the app's address; then it gets 503.",
    },
    maxBody: {
      type: "size",
      default: "0",
      group: "Limits",
      help: "The longest body of a request; 413 beyond. 0 is no limit.",
    },
    minBodyRate: {
      type: "size",
      default: "240B",
      group: "Limits",
      help: "The least that a client may send of its request's body, in bytes a second over ten seconds; 408 below. 0 is no limit.",
    },
    headTimeout: {
      type: "duration",
      default: "20s",
      min: 1,
      group: "Limits",
      help: "How long the head of a request may take to arrive.",
    },
    keepAliveTimeout: {
      type: "duration",
      default: "75s",
      min: 1,
      group: "Limits",
      help: "How long a connection may be idle between two requests; longer than the 60s of common load balancers.",
    },
    stallTimeout: {
      type: "duration",
      default: "60s",
      min: 1,
      group: "Limits",
      help: "How long a client may take nothing of what is sent to it.",
    },
    maxRequests: {
      type: "integer",
      min: 0,
      default: "0",
      group: "Limits",
      help: "Requests on one connection, after which it is closed. 0 is no limit.",
    },
    maxConnections: {
      type: "integer",
      min: 0,
      default: "0",
      group: "Limits",
      help: "Connections that may be open at a time; more are closed as they come. 0 is no limit.",
    },
    cert: {
      type: "path",
      group: "Certificate",
      help: "The certificate and its intermediates, PEM. Without one, a development CA issues it.",
    },
    key: { type: "path", group: "Certificate", help: "The certificate's private key, PEM, not encrypted." },
    stateDir: {
      type: "path",
      default: ".tls-proxy",
      group: "Certificate",
      help: "Where the development CA and its certificate are kept.",
    },
    hostName: {
      type: "string",
      repeat: true,
      group: "Certificate",
      help: "A further name or address in the development certificate, besides localhost, 127.0.0.1 and ::1.",
    },
  },
  ({ upstream, appPort, cert, key, hostName = [] }, problem) => {
    if (upstream && appPort) problem("appPort", "says the same as --upstream", "give one of them");
    if (!upstream && !appPort)
      problem(["appPort", "upstream"], "is missing", "Say where the app listens, with --app-port or --upstream");
    if (cert && !key)
      problem(["key", "cert"], "is missing, and --cert is given", "give the certificate's private key as well");
    if (key && !cert) problem(["cert", "key"], "is missing, and --key is given", "give the key's certificate as well");
    for (const name of hostName) {
      const reason = hostNameProblem(name);
      if (reason)
        problem(
          "hostName",
          `${JSON.stringify(name)} ${reason}`,
          "give names such as app.test, *.app.test or 192.0.2.1",
        );
    }
  },
);
