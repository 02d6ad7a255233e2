import type { Metrics } from "@pillion/kit";
import type { Stage } from "./apply.ts";

export interface SyncMetrics {
  published(): void;
  /** What readers see. */
  shown(content: string): void;
  failed(stage: Stage): void;
  notified(outcome: "signalled" | "absent"): void;
  /** The newest is in force. */
  succeeded(): void;
}

export function addSyncMetrics(metrics: Metrics): SyncMetrics {
  const generations = metrics.counter("generations_total", "Generations published, those gone back to included.");
  const failures = metrics.counter("failures_total", "Attempts that failed, by stage.", ["stage"]);
  const notifications = metrics.counter("notifications_total", "Generations the app was told of, by outcome.", [
    "outcome",
  ]);
  const success = metrics.gauge(
    "last_success_timestamp_seconds",
    "When the newest configuration was last seen in force.",
  );
  const generation = metrics.gauge("generation", "Always 1; the content that readers see is a label.", ["content"]);
  return {
    published: () => generations.inc(),
    shown(content) {
      generation.reset();
      generation.set({ content }, 1);
    },
    failed: (stage) => failures.inc({ stage }),
    notified: (outcome) => notifications.inc({ outcome }),
    succeeded: () => success.setToCurrentTime(),
  };
}
