import {
  type Address,
  type Context,
  type Logger,
  type Metrics,
  type Running,
  type Values,
  defineSidecar,
  formatAddress,
  listen as listenOn,
  messageOf,
  reachable,
} from "@pillion/kit";
import { type AccessLog, accessLog } from "./access-log/access-log.ts";
import { Certificates } from "./certificates/certificates.ts";
import { type Cidr, isTrusted } from "./cidr-list.ts";
import type { ProxyProtocolOptions } from "./front/gate-before.ts";
import type { Front } from "./front/front.ts";
import { identity } from "./identity.ts";
import { addCertificateMetrics, certificatesObserver, countLost, countPlain, proxyHeaderCounter } from "./metrics.ts";
import { watchNetwork } from "./network-watch.ts";
import { options } from "./options.ts";
import { Redirect, type RedirectOptions } from "./redirect/redirect.ts";
import { requestsCutOff, serveHttp } from "./serve-http.ts";
import { shutdownEndpoint } from "./server.ts";
import { connectionsCutOff, serveTcp } from "./tcp/serve-tcp.ts";

type OptionValues = Values<typeof options.table>;

/** Serves an app's plain HTTP as HTTPS, or with `mode: "tcp"` any other protocol of its inside TLS. */
export const tlsProxy = defineSidecar(identity, options, (values) => ({
  async start(context) {
    const { signal, log, metrics, health } = context;
    const observer = certificatesObserver(metrics);
    const certificates = await Certificates.open(values, { log, health, signal, observer });
    addCertificateMetrics(metrics, () => certificates.inForce);
    const serve = values.mode === "tcp" ? servedTcp : servedHttp;
    const served = await serve(certificates, values, context);
    const { front } = served;
    const address = await listenOn(front.listener, values.listen, "--listen");
    const besides = await served.besides(address).catch(async (error: unknown) => {
      await served.drain(AbortSignal.abort());
      throw error;
    });
    return {
      ...endings(values, context),
      addresses: { [values.mode === "tcp" ? "tls" : "https"]: formatAddress(address), ...besides.addresses },
      async reload() {
        served.access?.reopen();
        await certificates.reload();
      },
      async stop(deadline) {
        const cutOff = (await Promise.all([served.drain(deadline), besides.drain(deadline)])).flat();
        await certificates.closed();
        await served.access?.close();
        if (cutOff.length > 0) throw served.cutOffError(cutOff);
      },
    };
  },
}));

/** What is served on other addresses. */
interface Besides {
  readonly addresses: Readonly<Record<string, string>>;
  drain(deadline: AbortSignal): Promise<string[]>;
}

/** What either mode hands over. */
interface Served {
  readonly front: Front;
  /** Ends it all. @returns what was cut off at the deadline, one line each */
  drain(deadline: AbortSignal): Promise<string[]>;
  readonly access?: AccessLog | undefined;
  /** @param address where `front` listens */
  besides(address: Address): Promise<Besides>;
  cutOffError(cutOff: readonly string[]): Error;
}

const NOTHING_BESIDES: Besides = { addresses: {}, drain: async () => [] };

function appOf({ upstream, appPort = 0 }: Pick<OptionValues, "upstream" | "appPort">): Address {
  return reachable(upstream ?? { host: "127.0.0.1", port: appPort });
}

async function servedTcp(certificates: Certificates, values: OptionValues, context: Context): Promise<Served> {
  const proxyProtocol = proxyProtocolRule(values.proxyProtocolFrom, context);
  const front = serveTcp(certificates, { ...values, upstream: appOf(values), proxyProtocol }, context);
  return {
    front,
    drain: (deadline) => front.drain(deadline),
    besides: async () => NOTHING_BESIDES,
    cutOffError: connectionsCutOff,
  };
}

async function servedHttp(certificates: Certificates, values: OptionValues, context: Context): Promise<Served> {
  const app = appOf(values);
  const access = openAccessLog(values, context.log, context.metrics);
  const proxyProtocol = proxyProtocolRule(values.proxyProtocolFrom, context);
  const served = await serveHttp(certificates, { ...values, app, access, proxyProtocol }, context);
  const plain = { ...served.observer, ...countPlain(context.metrics) };
  return {
    front: served.front,
    drain: (deadline) => served.drain(deadline),
    access,
    besides: (address) => startRedirect(values, { app, address, observer: plain }),
    cutOffError: requestsCutOff,
  };
}

function proxyProtocolRule(from: readonly Cidr[], { metrics, log }: Context): ProxyProtocolOptions | undefined {
  if (from.length === 0) return undefined;
  const countRefused = proxyHeaderCounter(metrics);
  return {
    requiredFrom: isTrusted(from),
    onRefused(peer, reason) {
      countRefused();
      log.warn({ peer, reason }, "a connection was aborted for its PROXY header");
    },
  };
}

function openAccessLog(
  {
    accessLog: format,
    accessLogFile: file,
    accessLogQuery: query,
  }: Pick<OptionValues, "accessLog" | "accessLogFile" | "accessLogQuery">,
  log: Logger,
  metrics: Metrics,
): AccessLog | undefined {
  const failed = (error: Error) => log.warn(`the access log can't be written: ${messageOf(error)}`);
  return accessLog({ format, file, query, observer: { failed, lost: countLost(metrics) } });
}

async function startRedirect(
  { redirectListen, redirectPort: port }: Pick<OptionValues, "redirectListen" | "redirectPort">,
  { app, address, observer }: { app: Address; address: Address; observer: RedirectOptions["observer"] },
): Promise<Besides> {
  if (!redirectListen) return NOTHING_BESIDES;
  const listenPort = "port" in address ? address.port : undefined;
  const redirect = new Redirect({ app, port, listenPort, observer });
  const http = formatAddress(await listenOn(redirect.server, redirectListen, "--redirect-listen"));
  return { addresses: { http }, drain: (deadline) => redirect.drain(deadline) };
}

/** What ends it besides signals: the app's own word, or the loss of its network. */
function endings(
  { allowShutdown, networkWatch: period }: Pick<OptionValues, "allowShutdown" | "networkWatch">,
  { signal, log, health, admin }: Pick<Context, "signal" | "log" | "health" | "admin">,
): Pick<Running, "done" | "failed"> {
  const failed = period > 0 ? watchNetwork({ period, signal, health }) : undefined;
  const shutdown = allowShutdown ? shutdownEndpoint(log) : undefined;
  if (shutdown) admin.route(...shutdown.route);
  return { ...(failed && { failed }), ...(shutdown && { done: shutdown.requested }) };
}
