import { type OptionTable, type Options, defineOptions } from "@pillion/kit";
import { cidr } from "./cidr-list.ts";
import { clientRule } from "./certificates/client-rules.ts";
import { upstreamAddress } from "./upstream/upstream-address.ts";
import { TLS_POLICIES } from "./certificates/tls-settings.ts";
import { rules } from "./option-rules.ts";
import { workerCount } from "./workers/worker-count.ts";

/** Node's timers hold no more, milliseconds. */
const LONGEST = 2 ** 31 - 1;

const table = {
  listen: { type: "address", default: "127.0.0.1:8443", help: "Where HTTPS is served; :8443 is all interfaces." },
  upstream: {
    type: upstreamAddress,
    help: "Where the app listens for plain HTTP, or in --mode tcp for its own protocol; h2c://host:port for an app that speaks HTTP/2 alone, such as gRPC.",
  },
  appPort: { type: "integer", min: 1, max: 65_535, help: "Short for --upstream 127.0.0.1:N." },
  engine: {
    type: "choice",
    choices: ["relay", "http-proxy"],
    default: "relay",
    help: "What carries HTTP/1.1 to the app: Pillion's own relay, or the npm package http-proxy behind the same front.",
  },
  http2: {
    type: "boolean",
    default: "true",
    help: "Serves HTTP/2 to clients that ask for it by ALPN; only with --engine relay.",
  },
  workers: {
    type: workerCount,
    default: "1",
    help: "Processes that serve --listen; auto is one for each processor that this one may use.",
  },
  workerTimeout: {
    type: "duration",
    default: "30s",
    max: LONGEST,
    help: "How long one of several workers may answer nothing; it is killed then, and started anew. 0 is for ever.",
  },
  upstreamWait: {
    type: "duration",
    default: "5s",
    help: "How long a request, or a client of --mode tcp, is held while nothing listens at the app's address.",
  },
  connectTimeout: {
    type: "duration",
    default: "5s",
    min: 1,
    help: "How long one attempt to connect to the app may take.",
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
    help: "How long a client may take nothing of what is sent to it, or send nothing of a body that it announced.",
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
  mode: {
    type: "choice",
    choices: ["http", "tcp"],
    default: "http",
    help: "What is inside TLS: HTTP, or any other protocol, whose bytes are passed on as they are; options of HTTP are refused then.",
  },
  trustForwarded: {
    type: cidr,
    repeat: true,
    help: "Proxies in front of this one whose X-Forwarded-* and Forwarded fields are kept and added to. Everybody else's are dropped.",
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
    help: "Begin each connection to the app with a PROXY header that names the client. Only with --mode tcp.",
  },
  alpn: {
    type: "string",
    repeat: true,
    group: "TCP",
    help: "A protocol to agree on by ALPN, such as postgresql. A client that offers only others is refused; without this option offers are ignored. Only with --mode tcp.",
  },
  idleTimeout: {
    type: "duration",
    default: "1h",
    group: "TCP",
    help: "How long nothing may move on a connection before it is aborted; 0 is for ever. Only with --mode tcp.",
  },
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
  redirectListen: {
    type: "address",
    group: "Redirect",
    help: "Where plain HTTP is answered with a redirect to HTTPS, such as :8081.",
  },
  redirectPort: {
    type: "integer",
    min: 1,
    max: 65_535,
    group: "Redirect",
    help: "The port of HTTPS as clients see it. Default: 443 for who came to port 80, else that of --listen.",
  },
  hsts: {
    type: "duration",
    group: "Answers",
    help: "Tells browsers to use https alone for so long, such as 365d; 0 takes it back. An app's own word goes first.",
  },
  hstsIncludeSubdomains: { type: "boolean", group: "Answers", help: "Has --hsts hold for all subdomains too." },
  repair: {
    type: "choice",
    choices: ["all", "cookies", "location", "none"],
    default: "all",
    group: "Answers",
    help: "What of the app's answers is made fit for https: its cookies Secure, its own http:// in Location https://.",
  },
  accessLog: {
    type: "choice",
    choices: ["off", "json", "combined"],
    default: "off",
    group: "Access log",
    help: "A line for each request: JSON, or Apache's combined format.",
  },
  accessLogFile: {
    type: "path",
    group: "Access log",
    help: "The file it is appended to, opened anew at SIGHUP. Default: standard output.",
  },
  accessLogQuery: {
    type: "boolean",
    group: "Access log",
    help: "Logs query strings too, of the target and of Referer; they may hold secrets.",
  },
  networkWatch: {
    type: "duration",
    default: "5s",
    max: LONGEST,
    group: "End",
    help: "Time between two looks whether the network's interfaces are still there; exits when they have gone. 0: never looks.",
  },
  allowShutdown: {
    type: "boolean",
    group: "End",
    help: "Lets POST /shutdown on --admin-listen end it, for the app of a Job.",
  },
} as const satisfies OptionTable;

export type Table = typeof table;

export const options: Options<Table> = defineOptions(table, rules);
