import type { Context } from "@pillion/kit";
import type { Reporter } from "./apply.ts";
import type { SyncMetrics } from "./metrics.ts";

export interface ReportOptions extends Pick<Context, "log" | "health"> {
  readonly metrics: SyncMetrics;
  /** Why going back failed before this start. */
  readonly lost: string | undefined;
  readonly onWentBack: () => void;
}

/** What happens to configuration, as log lines, metrics and readiness. */
export function reportTo({ log, health, metrics, lost, onWentBack }: ReportOptions): Reporter {
  const rollback = health.condition("rollback");
  if (lost !== undefined) rollback.failed(lost);
  return {
    published({ name, content }, files) {
      metrics.published();
      metrics.shown(content);
      log.info({ generation: name, files }, "published");
    },
    notified(process) {
      metrics.notified(process ? "signalled" : "absent");
      if (process) log.info({ pid: process.pid }, "told the app");
    },
    committed({ name }) {
      metrics.succeeded();
      log.info({ generation: name }, "in force");
      rollback.ok();
    },
    wentBack(from, to, reason) {
      metrics.published();
      metrics.shown(to.content);
      log.warn({ from: from.name, to: to.name }, `went back: ${reason}`);
      onWentBack();
    },
    lost: (reason) => rollback.failed(reason),
    failed: (stage) => metrics.failed(stage),
  };
}
