import type { Metrics } from "@pillion/kit";
import type { Round } from "./sync.ts";

/** Seconds: from a poll of a near server to the first fetch of a large repository. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Counts and times each round. */
export class SyncMetrics {
  readonly #rounds;
  readonly #duration;
  readonly #lastSuccess;
  readonly #info;

  constructor(metrics: Metrics) {
    this.#rounds = metrics.counter("syncs_total", "Rounds by what came of them.", ["outcome"]);
    this.#duration = metrics.histogram("sync_duration_seconds", "How long a round took.", BUCKETS);
    this.#lastSuccess = metrics.gauge("last_success_timestamp_seconds", "When the last round succeeded, Unix time.");
    this.#info = metrics.gauge("info", "Always 1; the published commit is a label.", ["hash"]);
    for (const outcome of ["updated", "unchanged", "failed"]) this.#rounds.inc({ outcome }, 0);
  }

  async observe(work: () => Promise<Round>): Promise<Round> {
    const end = this.#duration.startTimer();
    try {
      const round = await work();
      this.#rounds.inc({ outcome: round.outcome });
      this.#lastSuccess.setToCurrentTime();
      this.showCommit(round.commit);
      return round;
    } catch (error) {
      this.#rounds.inc({ outcome: "failed" });
      throw error;
    } finally {
      end();
    }
  }

  showCommit(hash: string): void {
    this.#info.reset();
    this.#info.set({ hash }, 1);
  }
}
