import type { Options } from "@pillion/kit";
import { hostNameProblem } from "./certificates/host-names.ts";
import type { Table } from "./options.ts";

type Rules = Options<Table>["rules"];
type Rule = (values: Parameters<Rules>[0], problem: Parameters<Rules>[1]) => void;

/** What holds between options. */
export const rules: Rules = (values, problem) => {
  for (const rule of [theApp, oneMode, limitsAreKept, workersSharePorts, certificatePairs, hostNames, whatNeedsAnother])
    rule(values, problem);
};

const theApp: Rule = ({ upstream, appPort, mode, engine }, problem) => {
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

const oneMode: Rule = ({ mode, sendProxyProtocol, alpn = [] }, problem) => {
  // Requests of several clients share a connection to an HTTP app, and its one header could name only one of them.
  if (mode === "http" && sendProxyProtocol !== "off")
    problem(
      ["sendProxyProtocol", "mode"],
      "is only for --mode tcp; in HTTP the app finds its client in X-Forwarded-For",
      "Leave it out, or add --mode tcp",
    );
  if (mode === "http" && alpn.length > 0)
    problem(["alpn", "mode"], "is only for --mode tcp; HTTP has names of its own", "Leave it out, or add --mode tcp");
  // RFC 7301 §3.1: a name has 1 to 255 bytes.
  if (alpn.some((name) => Buffer.byteLength(name) > 255))
    problem("alpn", "is longer than 255 bytes", "Give names such as postgresql or h2");
};

/** A limit that looks set, and isn't, is worse than none. */
const limitsAreKept: Rule = (values, problem) => {
  for (const limit of ["maxBody", "maxRequests"] as const)
    if (values.engine === "http-proxy" && (values[limit] ?? 0) > 0)
      problem([limit, "engine"], "is not kept by --engine http-proxy", "Leave one of them out");
};

const workersSharePorts: Rule = ({ workers = 1, listen }, problem) => {
  if (workers > 1 && listen && "path" in listen)
    problem(
      ["workers", "listen"],
      "processes can't share a unix socket as they share a port",
      "Leave it at 1, or give a port with --listen",
    );
};

const certificatePairs: Rule = ({ cert = [], key = [], clientCa, allowClient = [] }, problem) => {
  if (cert.length > key.length)
    problem(["key", "cert"], missing(key.length, "--cert", cert.length), "Give each certificate's private key as well");
  if (key.length > cert.length)
    problem(["cert", "key"], missing(cert.length, "--key", key.length), "Give each key's certificate as well");
  if (!clientCa && allowClient.length > 0)
    problem(["clientCa", "allowClient"], "is missing, and --allow-client is given", "Give the CAs of these clients");
};

const hostNames: Rule = ({ hostName = [] }, problem) => {
  for (const name of hostName) {
    const reason = hostNameProblem(name);
    if (reason)
      problem("hostName", `${JSON.stringify(name)} ${reason}`, "Give names such as app.test, *.app.test or 192.0.2.1");
  }
};

const whatNeedsAnother: Rule = (values, problem) => {
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
