import {
  type Address,
  type Context,
  type Health,
  type Logger,
  type Metrics,
  type Running,
  type Values,
  defineSidecar,
  formatAddress,
  listen as listenOn,
  messageOf,
  reachable,
  repeat,
  systemCode,
} from "@pillion/kit";
import { type AccessLog, accessLog } from "./access-log/access-log.ts";
import { answerRules } from "./answers/answer-rules.ts";
import { CertificateKeeper } from "./certificate-keeper.ts";
import { certificateSource } from "./certificate-source.ts";
import { errors } from "./errors.ts";
import { engineOf } from "./engines.ts";
import { Front } from "./front/front.ts";
import type { UpstreamObserver } from "./http-proxy/engine.ts";
import { identity } from "./identity.ts";
import { addFrontMetrics, countLost, countPlain, observers } from "./metrics.ts";
import { watchNetwork } from "./network-watch.ts";
import { options } from "./options.ts";
import { Redirect, type RedirectOptions } from "./redirect/redirect.ts";
import { shutdownEndpoint } from "./server.ts";
import { tlsSettings } from "./tls-settings.ts";

const HOUR = 3_600_000;

/** Serves an app's plain HTTP as HTTPS. */
export const tlsProxy = defineSidecar(identity, options, ({ listen, upstream, appPort = 0, ...values }) => ({
  async start({ signal, log, metrics, health, admin }) {
    const app = reachable(upstream ?? { host: "127.0.0.1", port: appPort });
    const access = openAccessLog(values, log, metrics);
    const source = certificateSource(values, log);
    const first = await source.load(new Date());
    log.info(
      { subject: first.subject, fingerprint: first.fingerprint, notAfter: first.notAfter },
      "certificate in force",
    );

    const counted = observers(metrics);
    const observer = { ...counted, ...watchApp(app, health, log, counted), ...countPlain(metrics) };
    const front = new Front({
      tls: { ...tlsSettings(), cert: first.cert, key: first.key },
      handlers: {
        "http/1.1": await engineOf(values, { app, observer, access, rules: answerRules({ ...values, app }) }),
      },
      observer,
      maxConnections: values.maxConnections,
    });
    const certificate = new CertificateKeeper(source, first, { log, health }, (pair) => front.replaceCertificate(pair));
    addFrontMetrics(metrics, front, () => certificate.current.notAfter);
    const address = await listenOn(front.server, listen, "--listen");
    const redirect = await startRedirect(values, { app, address, observer }).catch(async (error: unknown) => {
      await front.drain(AbortSignal.abort());
      throw error;
    });
    const checks = repeat(HOUR, { signal, health: health.condition("validity") }, () => certificate.check(new Date()));
    return {
      ...endings(values, { signal, log, health, admin }),
      addresses: { https: formatAddress(address), ...redirect?.addresses },
      async reload() {
        access?.reopen();
        await certificate.reload(new Date());
      },
      async stop(deadline) {
        const cutOff = (await Promise.all([front.drain(deadline), redirect?.drain(deadline) ?? []])).flat();
        await checks;
        await access?.close();
        if (cutOff.length > 0) throw requestsCutOff(cutOff);
      },
    };
  },
}));

type OptionValues = Values<typeof options.table>;

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
) {
  if (!redirectListen) return undefined;
  const listenPort = "port" in address ? address.port : undefined;
  const redirect = new Redirect({ app, port, listenPort, observer });
  const http = formatAddress(await listenOn(redirect.server, redirectListen, "--redirect-listen"));
  return { addresses: { http }, drain: (deadline: AbortSignal) => redirect.drain(deadline) };
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

/** Health and log on top of the counts: that the app is away is a state, that it broke off an incident. */
function watchApp(app: Address, health: Health, log: Logger, counted: UpstreamObserver): UpstreamObserver {
  const condition = health.condition("app");
  return {
    away(error) {
      counted.away(error);
      condition.degraded(
        `nothing answers at ${formatAddress(app)} (${systemCode(error)}); requests get 503 until it does`,
      );
    },
    failed(error) {
      counted.failed(error);
      log.warn({ error: messageOf(error) }, "the app broke off a request, or its answer is not HTTP");
    },
    reached() {
      counted.reached();
      condition.ok();
    },
  };
}

function requestsCutOff(cutOff: readonly string[]): Error {
  const reason = `${cutOff.length} still in flight when the time-out ended, cut off: ${cutOff.slice(0, 10).join("; ")}`;
  return errors.REQUESTS_CUT_OFF({ subject: "requests", reason, remedy: "Raise --shutdown-timeout" });
}
