import type { Metrics } from "@pillion/kit";
import type { Round } from "./sync.ts";

/** Seconds: from a poll of a near server to the first fetch of a large repository. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export interface SyncMetrics {
  /** Times a round to its end, and counts it when it fails. */
  observe(work: () => Promise<void>): Promise<void>;
  /** Counts a good round, and shows its commit. */
  succeeded(round: Round): void;
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
    succeeded({ outcome, commit }) {
      rounds.inc({ outcome });
      success.setToCurrentTime();
      showCommit(commit);
    },
    async observe(work) {
      const end = duration.startTimer();
      try {
        await work();
      } catch (error) {
        rounds.inc({ outcome: "failed" });
        throw error;
      } finally {
        end();
      }
    },
  };
}
