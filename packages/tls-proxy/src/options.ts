import { defineOptions } from "@pillion/kit";
import { hostNameProblem } from "./certificates/host-names.ts";

export const options = defineOptions(
  {
    listen: { type: "address", default: "127.0.0.1:8443", help: "Where HTTPS is served; :8443 is all interfaces." },
    upstream: { type: "address", help: "Where the app listens for plain HTTP." },
    appPort: { type: "integer", min: 1, max: 65_535, help: "Short for --upstream 127.0.0.1:N." },
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
