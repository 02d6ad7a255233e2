import { defineOptions } from "@pillion/kit";
import { clientRule } from "./certificates/client-rules.ts";
import { hostNameProblem } from "./certificates/host-names.ts";
import { TLS_POLICIES } from "./certificates/tls-settings.ts";

export const options = defineOptions(
  {
    listen: { type: "address", default: "127.0.0.1:8443", help: "Where HTTPS is served; :8443 is all interfaces." },
    upstream: { type: "address", help: "Where the app listens for plain HTTP." },
    appPort: { type: "integer", min: 1, max: 65_535, help: "Short for --upstream 127.0.0.1:N." },
    cert: {
      type: "path",
      repeat: true,
      group: "Certificate",
      help: "A certificate and its intermediates, PEM; the first is the default. Without one, a development CA issues it.",
    },
    key: {
      type: "path",
      repeat: true,
      group: "Certificate",
      help: "A certificate's private key, PEM, not encrypted; in the order of --cert.",
    },
    certDir: {
      type: "path",
      group: "Certificate",
      help: "A directory with certificates: tls.crt and tls.key, NAME.crt or .pem and NAME.key, or one below it for each.",
    },
    sniStrict: {
      type: "boolean",
      group: "Certificate",
      help: "Refuse clients that ask for a name that no certificate is for, instead of serving the default.",
    },
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
    tlsPolicy: {
      type: "choice",
      choices: TLS_POLICIES,
      default: "intermediate",
      group: "Certificate",
      help: "Mozilla's name for what is spoken: intermediate is TLS 1.2 and 1.3, modern is 1.3 alone.",
    },
    ticketRotation: {
      type: "duration",
      default: "12h",
      min: 60_000,
      max: 7 * 86_400_000,
      group: "Certificate",
      help: "Time between two keys of session tickets; no ticket lasts longer.",
    },
    clientCa: {
      type: "path",
      group: "Client certificates",
      help: "The CAs whose clients are let in, PEM. Without it, clients aren't asked for certificates.",
    },
    clientAuth: {
      type: "choice",
      choices: ["require", "request"],
      default: "require",
      group: "Client certificates",
      help: "Whether a client may come without a certificate; one that it presents has to be good either way.",
    },
    allowClient: {
      type: clientRule,
      repeat: true,
      group: "Client certificates",
      help: "Lets in a client with cn=NAME, ou=NAME, dns=NAME, uri=PATTERN or spki=sha256/BASE64, and nobody else.",
    },
  },
  ({ upstream, appPort, cert = [], key = [], hostName = [], clientCa, allowClient = [] }, problem) => {
    if (upstream && appPort) problem("appPort", "says the same as --upstream", "Give one of them");
    if (!upstream && !appPort)
      problem(["appPort", "upstream"], "is missing", "Say where the app listens, with --app-port or --upstream");
    if (cert.length > key.length)
      problem(
        ["key", "cert"],
        missing(key.length, "--cert", cert.length),
        "Give each certificate's private key as well",
      );
    if (key.length > cert.length)
      problem(["cert", "key"], missing(cert.length, "--key", key.length), "Give each key's certificate as well");
    if (!clientCa && allowClient.length > 0)
      problem(["clientCa", "allowClient"], "is missing, and --allow-client is given", "Give the CAs of these clients");
    for (const name of hostName) {
      const reason = hostNameProblem(name);
      if (reason)
        problem(
          "hostName",
          `${JSON.stringify(name)} ${reason}`,
          "Give names such as app.test, *.app.test or 192.0.2.1",
        );
    }
  },
);

function missing(given: number, other: string, others: number): string {
  if (given === 0) return `is missing, and ${other} is given`;
  return `is missing for ${others - given} of ${others} ${other}`;
}
