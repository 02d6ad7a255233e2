export interface BackoffOptions {
  /** Milliseconds before the first retry. */
  readonly base: number;
  /** Milliseconds at the most. */
  readonly cap: number;
  /** In [0, 1); injected by tests. */
  readonly random?: () => number;
}

/**
 * The wait before a retry, in milliseconds: doubling from base to cap, half of it random, so that many sidecars that
 * failed together don't come back together.
 *
 * @param failures how often it failed in a row, from 1
 */
export function backoff(failures: number, { base, cap, random = Math.random }: BackoffOptions): number {
  const ceiling = Math.min(cap, base * 2 ** Math.min(failures - 1, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
