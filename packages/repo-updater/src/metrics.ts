import type { Metrics } from "@pillion/kit";
import type { Round } from "./sync.ts";

/** Seconds: from a poll of a near server to the first fetch of a large repository. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export interface SyncMetrics {
  /** Counts and times a round. */
  observe(work: () => Promise<Round>): Promise<Round>;
  /** What readers see. */
  showCommit(hash: string): void;
}

export function addSyncMetrics(metrics: Metrics): SyncMetrics {
  const rounds = metrics.counter("syncs_total", "Rounds by what came of them.", ["outcome"]);
  const duration = metrics.histogram("sync_duration_seconds", "How long a round took.", BUCKETS);
  const success = metrics.gauge("last_success_timestamp_seconds", "When the last round succeeded, Unix time.");
  const info = metrics.gauge("info", "Always 1; the published commit is a label.", ["hash"]);
  for (const outcome of ["updated", "unchanged", "failed"]) rounds.inc({ outcome }, 0);
  const showCommit = (hash: string) => {
    info.reset();
    info.set({ hash }, 1);
  };
  return {
    showCommit,
    async observe(work) {
      const end = duration.startTimer();
      try {
        const round = await work();
        rounds.inc({ outcome: round.outcome });
        success.setToCurrentTime();
        showCommit(round.commit);
        return round;
      } catch (error) {
        rounds.inc({ outcome: "failed" });
        throw error;
      } finally {
        end();
      }
    },
  };
}
