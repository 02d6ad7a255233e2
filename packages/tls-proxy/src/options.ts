import { defineOptions } from "@pillion/kit";
import { cidr } from "./cidr-list.ts";
import { hostNameProblem } from "./host-names.ts";

export const options = defineOptions(
  {
    listen: { type: "address", default: "127.0.0.1:8443", help: "Where HTTPS is served; :8443 is all interfaces." },
    upstream: { type: "address", help: "Where the app listens for plain HTTP, or in --mode tcp for its own protocol." },
    appPort: { type: "integer", min: 1, max: 65_535, help: "Short for --upstream 127.0.0.1:N." },
    mode: {
      type: "choice",
      choices: ["http", "tcp"],
      default: "http",
      help: "What is inside TLS: HTTP, or any other protocol, whose bytes are passed on as they are.",
    },
    proxyProtocolFrom: {
      type: cidr,
      repeat: true,
      group: "PROXY protocol",
      help: "Load balancers whose connections have to begin with a PROXY header (v1 or v2) that names the client. Nobody else's header is read.",
    },
    sendProxyProtocol: {
      type: "choice",
      choices: ["off", "v1", "v2"],
      default: "off",
      group: "PROXY protocol",
      help: "Begin each connection to the app with a PROXY header that names the client; only with --mode tcp.",
    },
    alpn: {
      type: "string",
      repeat: true,
      group: "TCP",
      help: "A protocol to agree on by ALPN, such as postgresql. A client that offers only others is refused; without this option offers are ignored. Only with --mode tcp.",
    },
    upstreamWait: {
      type: "duration",
      default: "10s",
      group: "TCP",
      help: "How long a client is held while nothing listens at the app's address.",
    },
    connectTimeout: {
      type: "duration",
      default: "5s",
      min: 1,
      group: "TCP",
      help: "How long one attempt to connect to the app may take.",
    },
    idleTimeout: {
      type: "duration",
      default: "1h",
      group: "TCP",
      help: "How long nothing may move on a connection before it is aborted; 0 is for ever.",
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
  ({ upstream, appPort, cert, key, hostName = [], mode, sendProxyProtocol, alpn = [] }, problem) => {
    // Requests of several clients share a connection to an HTTP app, and its one header could name only one of them.
    if (mode === "http" && sendProxyProtocol !== "off")
      problem(
        ["sendProxyProtocol", "mode"],
        "is only for --mode tcp; in HTTP the app finds its client in X-Forwarded-For",
        "leave it out, or add --mode tcp",
      );
    if (mode === "http" && alpn.length > 0)
      problem(["alpn", "mode"], "is only for --mode tcp; HTTP has names of its own", "leave it out, or add --mode tcp");
    // RFC 7301 §3.1: a name has 1 to 255 bytes.
    if (alpn.some((name) => Buffer.byteLength(name) > 255))
      problem("alpn", "is longer than 255 bytes", "give names such as postgresql or h2");
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
