import { backoff } from "./backoff.ts";
import { messageOf } from "./errors.ts";
import type { Condition, Health } from "./health.ts";

export interface RepeatOptions {
  /** Ends the loop; work under way is awaited, and may watch the same signal. */
  readonly signal: AbortSignal;
  /** Where the outcome of each round is reported: ok, or degraded with the error's message. */
  readonly health: Health | Condition;
  /** Failures in a row after which the loop gives up and rejects with the last error. Default: never. */
  readonly maxFailures?: number;
  /** Longest wait after failures, milliseconds. Default: a minute, or the period when that is longer. */
  readonly cap?: number;
}

/** A running loop: settles when it ends; `now` starts the next round at once. */
export type Loop = Promise<void> & { now(): void };

/**
 * Does work at once and then again and again, `period` milliseconds after each round; after a failure with growing
 * waits. Errors never leave the loop before `maxFailures`: they are reported to health.
 */
export function repeat(period: number, options: RepeatOptions, work: () => Promise<void>): Loop {
  let wake = () => {};
  const loop = rounds(period, options, work, (callback) => (wake = callback));
  return Object.assign(loop, { now: () => wake() });
}

async function rounds(
  period: number,
  { signal, health, maxFailures = Infinity, cap = Math.max(60_000, period) }: RepeatOptions,
  work: () => Promise<void>,
  onWake: (wake: () => void) => void,
): Promise<void> {
  const condition = "condition" in health ? health.condition("loop") : health;
  let failures = 0;
  let asked = false;
  let interrupt = () => {};
  onWake(() => {
    asked = true;
    interrupt();
  });
  while (!signal.aborted) {
    asked = false;
    try {
      await work();
      failures = 0;
      condition.ok();
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      condition.degraded(messageOf(error));
      if (failures >= maxFailures) throw error;
    }
    const wait = failures === 0 ? period : backoff(failures, { base: Math.min(1_000, period || 1_000), cap });
    if (!asked) await pause(wait, signal, (end) => (interrupt = end));
  }
}

/** Node turns a longer one into 1 ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Resolves after the time, when interrupted, or on abort. */
function pause(milliseconds: number, signal: AbortSignal, onInterrupt: (end: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(milliseconds, LONGEST_TIMER));
    signal.addEventListener("abort", end, { once: true });
    onInterrupt(end);
    if (signal.aborted) end();
  });
}
