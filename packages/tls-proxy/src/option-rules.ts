import { type Options, formatAddress } from "@pillion/kit";
import { hostNameProblem } from "./certificates/host-names.ts";
import type { Table } from "./options.ts";
import { reaches } from "./reaches.ts";

type Rules = Options<Table>["rules"];

/** What holds between options. What looks set, and isn't, is worse than what is refused. */
export const rules: Rules = (values, problem, given) => {
  for (const rule of [
    theApp,
    notItself,
    oneMode,
    oneEngine,
    proxyHeaders,
    workersShare,
    certificatePairs,
    hostNames,
    clients,
    whatNeedsAnother,
  ])
    rule(values, problem, given);
};

const theApp: Rules = ({ upstream, appPort, mode, engine }, problem) => {
  if (upstream && appPort) problem("appPort", "says the same as --upstream", "Give one of them");
  if (!upstream && !appPort)
    problem(["appPort", "upstream"], "is missing", "Say where the app listens, with --app-port or --upstream");
  if (upstream?.h2c && (mode === "tcp" || engine === "http-proxy"))
    problem(
      ["upstream", mode === "tcp" ? "mode" : "engine"],
      "h2c:// is only for --mode http with --engine relay",
      "Leave h2c:// out, or the other option",
    );
};

/** Its own app it would ask for ever, until it has no sockets left. */
const notItself: Rules = ({ listen, redirectListen, upstream, appPort }, problem) => {
  const app = upstream ?? (appPort ? { host: "127.0.0.1", port: appPort } : undefined);
  const [option, at] =
    Object.entries({ listen, redirectListen }).find(([, one]) => one && app && reaches(app, one)) ?? [];
  if (at)
    problem(
      [option === "listen" ? "listen" : "redirectListen", upstream ? "upstream" : "appPort"],
      `${formatAddress(at)} is where the app is said to be: the proxy would be its own app`,
      "Give the proxy another port, or the app's own",
    );
};

/** What only HTTP has. */
const OF_HTTP = [
  "engine",
  "http2",
  "maxBody",
  "minBodyRate",
  "headTimeout",
  "keepAliveTimeout",
  "stallTimeout",
  "maxRequests",
  "trustForwarded",
  "redirectListen",
  "redirectPort",
  "hsts",
  "hstsIncludeSubdomains",
  "repair",
  "accessLog",
  "accessLogFile",
  "accessLogQuery",
] as const;

const oneMode: Rules = ({ mode, sendProxyProtocol, alpn = [] }, problem, given) => {
  for (const option of OF_HTTP)
    if (mode === "tcp" && given.has(option))
      problem([option, "mode"], "is only for --mode http", "Leave it out, or leave out --mode tcp");
  // Requests of several clients share a connection to an HTTP app, and its one header could name only one of them.
  if (mode === "http" && sendProxyProtocol !== "off")
    problem(
      ["sendProxyProtocol", "mode"],
      "is only for --mode tcp; in HTTP the app finds its client in X-Forwarded-For",
      "Leave it out, or add --mode tcp",
    );
  if (mode === "http" && alpn.length > 0)
    problem(["alpn", "mode"], "is only for --mode tcp; HTTP has names of its own", "Leave it out, or add --mode tcp");
  if (mode === "http" && given.has("idleTimeout"))
    problem(
      ["idleTimeout", "mode"],
      "is only for --mode tcp; HTTP has --keep-alive-timeout and --stall-timeout",
      "Give one of those, or add --mode tcp",
    );
  // RFC 7301 §3.1: a name has 1 to 255 bytes.
  if (alpn.some((name) => Buffer.byteLength(name) > 255))
    problem("alpn", "is longer than 255 bytes", "Give names such as postgresql or h2");
};

/** What the engine http-proxy doesn't do; that it be off may be said. */
const OF_RELAY = ["http2", "upstreamWait", "connectTimeout", "maxBody", "minBodyRate", "maxRequests"] as const;

const oneEngine: Rules = (values, problem, given) => {
  for (const option of OF_RELAY)
    if (values.engine === "http-proxy" && given.has(option) && values[option])
      problem(
        [option, "engine"],
        "is not kept by --engine http-proxy, only by relay",
        "Leave it out, or leave out --engine",
      );
};

const proxyHeaders: Rules = ({ proxyProtocolFrom = [], listen }, problem) => {
  if (proxyProtocolFrom.length > 0 && listen && "path" in listen)
    problem(
      ["proxyProtocolFrom", "listen"],
      "is for clients with an address, and those of a unix socket have none",
      "Leave it out, or give a port with --listen",
    );
};

const workersShare: Rules = ({ workers = 1, workerTimeout = 0, listen, maxConnections = 0 }, problem, given) => {
  if (workers > 1 && listen && "path" in listen)
    problem(
      ["workers", "listen"],
      "processes can't share a unix socket as they share a port",
      "Leave it at 1, or give a port with --listen",
    );
  if (maxConnections > 0 && maxConnections < workers)
    problem(
      ["maxConnections", "workers"],
      `${maxConnections} are too few to share out to ${workers} workers`,
      "Give at least one for each",
    );
  // Whether there are any isn't for a machine with one processor to decide: --workers auto may be 1.
  if (given.has("workerTimeout") && !given.has("workers"))
    problem(["workerTimeout", "workers"], "there are no workers", "Give --workers as well");
  if (workerTimeout > 0 && workerTimeout < 1_000)
    problem("workerTimeout", "is too short to tell what hangs from what works", "Give at least 1s, or 0 for never");
};

const certificatePairs: Rules = ({ cert = [], key = [] }, problem) => {
  if (cert.length > key.length)
    problem(["key", "cert"], missing(key.length, "--cert", cert.length), "Give each certificate's private key as well");
  if (key.length > cert.length)
    problem(["cert", "key"], missing(cert.length, "--key", key.length), "Give each key's certificate as well");
};

const hostNames: Rules = ({ hostName = [], cert = [], certDir }, problem) => {
  if (hostName.length > 0 && (cert.length > 0 || certDir))
    problem(
      ["hostName", "cert", "certDir"],
      `is only for the development certificate, and ${cert.length > 0 ? "--cert" : "--cert-dir"} is given`,
      "Leave one of them out",
    );
  for (const name of hostName) {
    const reason = hostNameProblem(name);
    if (reason)
      problem("hostName", `${JSON.stringify(name)} ${reason}`, "Give names such as app.test, *.app.test or 192.0.2.1");
  }
};

/** Nobody shall think that clients are asked for certificates when they aren't. */
const clients: Rules = ({ clientCa }, problem, given) => {
  if (clientCa) return;
  for (const [option, flag] of [
    ["clientAuth", "--client-auth"],
    ["allowClient", "--allow-client"],
  ] as const)
    if (given.has(option))
      problem(["clientCa", option], `is missing, and ${flag} is given`, "Give the CAs of these clients");
};

const whatNeedsAnother: Rules = (values, problem) => {
  if (values.redirectPort && !values.redirectListen)
    problem(["redirectPort", "redirectListen"], "there is no redirect", "Give --redirect-listen as well");
  if (values.hstsIncludeSubdomains && values.hsts === undefined)
    problem(["hstsIncludeSubdomains", "hsts"], "--hsts is not given", "Give it as well, such as --hsts 365d");
  if ((values.accessLogFile || values.accessLogQuery) && values.accessLog === "off")
    problem(
      [values.accessLogFile ? "accessLogFile" : "accessLogQuery", "accessLog"],
      "there is no access log",
      "Give --access-log json or combined as well",
    );
};

function missing(given: number, other: string, others: number): string {
  if (given === 0) return `is missing, and ${other} is given`;
  return `is missing for ${others - given} of ${others} ${other}`;
}
