import { PillionError, messageOf, metricsOfProcess, releaseStartupMemory } from "@pillion/kit";
import { entriesTo } from "../access-log/access-log.ts";
import { streamOutput } from "../access-log/access-output.ts";
import { TicketKeys } from "../certificates/ticket-keys.ts";
import { identity } from "../identity.ts";
import { countLost } from "../metrics.ts";
import { type Serving, serve } from "../serve.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";
import { readPlainValues } from "./plain-values.ts";
import { type Send, sentHealth, sentLines, sentLog } from "./worker-context.ts";

type Start = Extract<ToWorker, { kind: "start" }>;
type Started = Serving & { readonly tickets: TicketKeys };

/**
 * What a worker does: it serves as a sidecar of one process would, and leaves to the primary all that is there once.
 *
 * @returns what hears the primary; it rejects when this worker can't serve
 */
export function workerProgram(send: Send): (message: ToWorker) => Promise<void> {
  const own = metricsOfProcess(identity.name);
  const [stopping, draining, deadline] = [new AbortController(), new AbortController(), new AbortController()];
  const { promise: started, resolve: setStarted } = Promise.withResolvers<Started>();
  const start = async ({ worker, address, ticketKeys, ...message }: Start): Promise<Started> => {
    const values = readPlainValues(message.values);
    const tickets = new TicketKeys(Buffer.from(ticketKeys));
    const lost = { failed() {}, lost: countLost(own.metrics) };
    const { mode, accessLog: format, accessLogQuery: query } = values;
    const access =
      mode === "http" && format !== "off"
        ? entriesTo(streamOutput(sentLines(send), lost), { format, query, worker })
        : undefined;
    const signals = { stopping: stopping.signal, signal: draining.signal };
    const context = { metrics: own.metrics, health: sentHealth(send), log: sentLog(send), ...signals };
    const serving = await serve({ ...values, listen: address }, context, { access, tickets, reusePort: true });
    const drain = async (until: AbortSignal) => {
      const cutOff = await serving.drain(until);
      await access?.close();
      return cutOff;
    };
    return { ...serving, drain, tickets };
  };
  return async (message) => {
    switch (message.kind) {
      case "start":
        setStarted(await start(message));
        releaseStartupMemory();
        return send({ kind: "serving" });
      case "ticketKeys":
        return (await started).tickets.replace(Buffer.from(message.keys));
      case "reload":
        await (await started).reload();
        return send({ kind: "answer", id: message.id });
      case "metrics":
        return send({ kind: "answer", id: message.id, snapshot: await own.snapshot() });
      case "pulse":
        return send({ kind: "pulse" });
      case "stopping":
        return stopping.abort();
      case "drain":
        draining.abort();
        return send({ kind: "drained", cutOff: await (await started).drain(deadline.signal) });
      case "deadline":
        return deadline.abort();
    }
  };
}

/** What is said of the error that ends a worker. */
export function describeCrash(error: unknown): ToPrimary {
  if (error instanceof PillionError)
    return { kind: "log", level: "error", fields: { code: error.code }, text: messageOf(error) };
  const stack = error instanceof Error ? error.stack : undefined;
  return { kind: "log", level: "fatal", fields: { stack }, text: `unexpected error: ${messageOf(error)}` };
}
