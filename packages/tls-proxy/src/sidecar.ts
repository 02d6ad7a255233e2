import {
  type Address,
  type Context,
  type Running,
  defineSidecar,
  formatAddress,
  listen,
  messageOf,
} from "@pillion/kit";
import { accessOutput, entriesTo } from "./access-log/access-log.ts";
import type { LineOutput } from "./access-log/access-output.ts";
import { errors } from "./errors.ts";
import { identity } from "./identity.ts";
import { countLost, countPlain } from "./metrics.ts";
import { watchNetwork } from "./network-watch.ts";
import { options } from "./options.ts";
import { reaches } from "./reaches.ts";
import { Redirect } from "./redirect/redirect.ts";
import { type Serving, appOf, serve } from "./serve.ts";
import { requestsCutOff } from "./serve-http.ts";
import { shutdownEndpoint } from "./server.ts";
import { connectionsCutOff } from "./tcp/serve-tcp.ts";
import type { OptionValues } from "./workers/plain-values.ts";

/** Serves an app's plain HTTP as HTTPS, or with `mode: "tcp"` any other protocol of its inside TLS. */
export const tlsProxy = defineSidecar(identity, options, (values) => ({
  async start(context) {
    refuseAdmin(values, context);
    const lines = openAccessLog(values, context);
    const serving = await startServing(values, context, lines);
    const redirect = await startRedirect(values, serving, context).catch(async (error: unknown) => {
      await serving.drain(AbortSignal.abort());
      throw error;
    });
    return {
      ...endings(values, context, serving),
      addresses: {
        [values.mode === "tcp" ? "tls" : "https"]: formatAddress(serving.address),
        ...redirect.addresses,
      },
      async reload() {
        lines?.reopen();
        await serving.reload();
      },
      async stop(deadline) {
        const cutOff = (await Promise.all([serving.drain(deadline), redirect.drain(deadline)])).flat();
        await lines?.close();
        if (cutOff.length > 0) throw values.mode === "tcp" ? connectionsCutOff(cutOff) : requestsCutOff(cutOff);
      },
    };
  },
}));

/** Clients of the app would find the configuration, the metrics, and perhaps the way to end it. */
function refuseAdmin(values: OptionValues, { admin }: Pick<Context, "admin">): void {
  const app = appOf(values);
  if (!admin.addresses.some((address) => reaches(app, address))) return;
  throw errors.APP_IS_ADMIN({
    subject: values.upstream ? "--upstream" : "--app-port",
    value: formatAddress(app),
    reason: "this sidecar's own --admin-listen or --health-listen is there",
    remedy: "Give those another port, or the app's own here",
  });
}

async function startServing(values: OptionValues, context: Context, lines: LineOutput | undefined): Promise<Serving> {
  const { accessLog: format, accessLogQuery: query } = values;
  if (values.workers === 1)
    return await serve(values, context, {
      access: lines && format !== "off" ? entriesTo(lines, { format, query }) : undefined,
    });
  // Loaded only where they are asked for.
  const { startWorkers } = await import("./workers/worker-pool.ts");
  return await startWorkers(values, context, lines);
}

function openAccessLog(
  { mode, accessLog: format, accessLogFile: file }: Pick<OptionValues, "mode" | "accessLog" | "accessLogFile">,
  { log, metrics }: Context,
): LineOutput | undefined {
  if (mode === "tcp") return undefined;
  const lost = countLost(metrics);
  const failed = (error: Error) => log.warn(`the access log can't be written: ${messageOf(error)}`);
  return format === "off" ? undefined : accessOutput(file, { failed, lost });
}

/** What answers plain HTTP. */
interface RunningRedirect {
  readonly addresses: Readonly<Record<string, string>>;
  drain(deadline: AbortSignal): Promise<string[]>;
}

const NO_REDIRECT: RunningRedirect = { addresses: {}, drain: async () => [] };

async function startRedirect(
  values: OptionValues,
  { address, observer }: Pick<Serving, "address" | "observer">,
  { metrics, stopping }: Pick<Context, "metrics" | "stopping">,
): Promise<RunningRedirect> {
  if (!observer) return NO_REDIRECT;
  const counted = { ...observer, ...countPlain(metrics) };
  if (!values.redirectListen) return NO_REDIRECT;
  const redirect = new Redirect({
    app: appOf(values),
    port: values.redirectPort,
    listenPort: portOf(address),
    observer: counted,
    stopping,
  });
  const http = formatAddress(await listen(redirect.server, values.redirectListen, "--redirect-listen"));
  return { addresses: { http }, drain: (deadline) => redirect.drain(deadline) };
}

function portOf(address: Address): number | undefined {
  return "port" in address ? address.port : undefined;
}

/** What ends it besides signals: the app's own word, the loss of its network or of its workers. */
function endings(
  { allowShutdown, networkWatch: period }: Pick<OptionValues, "allowShutdown" | "networkWatch">,
  { signal, log, health, admin }: Pick<Context, "signal" | "log" | "health" | "admin">,
  serving: Pick<Serving, "failed">,
): Pick<Running, "done" | "failed"> {
  const network = period > 0 ? watchNetwork({ period, signal, health }) : undefined;
  const failures = [network, serving.failed].filter((one) => one !== undefined);
  const shutdown = allowShutdown ? shutdownEndpoint(log) : undefined;
  if (shutdown) admin.route(...shutdown.route);
  return {
    ...(failures.length > 0 && { failed: Promise.race(failures) }),
    ...(shutdown && { done: shutdown.requested }),
  };
}
