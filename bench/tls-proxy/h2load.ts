import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestBed } from "./test-bed.ts";

/** What h2load prints at its end. */
export interface LoadResult {
  readonly requests: number;
  /** Seconds. */
  readonly elapsed: number;
  readonly failed: number;
  /** Those that were answered, by class of status: `2xx`. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Bytes of bodies, of answers that were cut off at the end as well. */
  readonly bodyBytes: number;
  readonly protocol: string;
  readonly tlsVersion: string;
}

/** What makes an answer right. */
export interface Expected {
  readonly protocol: "http/1.1" | "h2";
  /** Bytes of a body. */
  readonly length: number;
  /** Requests that may be under way when the time is up. */
  readonly inFlight: number;
}

/** How long h2load may take to come to its end, over the time of the run. */
const PATIENCE = 10;

/**
 * Seconds without traffic after which h2load gives a connection up. In the run that is a failure; at its end it lets h2load
 * come to an end at all, which else may wait for an answer that nobody owes it (nghttp2's issue 2250, as of 1.52).
 */
const IDLE = 4;

/** Runs h2load on the core of the load. @throws when it can't be run, or what came isn't right, with the reason */
export async function h2load(
  { otherCore, signal }: Pick<TestBed, "otherCore" | "signal">,
  seconds: number,
  args: readonly string[],
  expected: Expected,
): Promise<LoadResult> {
  const all = [
    "--cpu-list",
    otherCore,
    "h2load",
    "--duration",
    `${seconds}`,
    "--connection-inactivity-timeout",
    `${IDLE}`,
    ...args,
  ];
  const limits = { signal, timeout: (seconds + PATIENCE) * 1000 };
  const { stdout } = await promisify(execFile)("taskset", all, limits).catch(
    (error: Error & { stderr?: string; killed?: boolean }) => {
      const reason = error.killed ? `not all answers came within ${PATIENCE} s after the end` : error.stderr?.trim();
      throw new Error(`h2load: ${reason || error.message}`, { cause: error });
    },
  );
  const result = parseH2load(stdout);
  const wrong = whatIsWrong(result, expected);
  if (wrong !== undefined) throw new Error(wrong);
  return result;
}

/** @throws when it isn't the output of a run that came to its end */
export function parseH2load(output: string): LoadResult {
  const find = (pattern: RegExp) => {
    const value = pattern.exec(output)?.[1];
    if (value === undefined) throw new Error(`h2load's output has no ${pattern}: ${output.trim().slice(-500)}`);
    return value;
  };
  const count = (what: string) => Number(find(new RegExp(`^requests:.* (\\d+) ${what}`, "m")));
  const classes = ["2xx", "3xx", "4xx", "5xx"].map((name) => {
    return [name, Number(find(new RegExp(`^status codes:.* (\\d+) ${name}`, "m")))] as const;
  });
  return {
    requests: count("succeeded"),
    elapsed: parseSeconds(find(/^finished in ([0-9.]+(?:us|ms|s|m))/m)),
    failed: count("failed") + count("errored") + count("timeout"),
    statuses: Object.fromEntries(classes),
    bodyBytes: Number(find(/^traffic:.*\((\d+)\) data/m)),
    // a run against plain HTTP has no TLS lines
    protocol: find(/^Application protocol: (\S+)/m),
    tlsVersion: /^TLS Protocol: (\S+)/m.exec(output)?.[1] ?? "none",
  };
}

/** Nothing when every answer is right. */
export function whatIsWrong(result: LoadResult, { protocol, length, inFlight }: Expected): string | undefined {
  const { requests, failed, statuses, bodyBytes, tlsVersion } = result;
  if (requests === 0) return "no request was answered";
  if (failed > 0) return `${failed} requests failed, beside ${requests} that didn't`;
  // an answer whose head came before the end and whose body didn't has a status as well
  const { "2xx": good = 0, ...others } = statuses;
  if (good < requests || Object.values(others).some((answers) => answers > 0))
    return `answers were not all 2xx: ${JSON.stringify(statuses)}`;
  if (result.protocol !== protocol) return `it spoke ${result.protocol}, not ${protocol}`;
  if (tlsVersion !== "TLSv1.3") return `it spoke ${tlsVersion}, not TLSv1.3`;
  if (bodyBytes < requests * length || bodyBytes > (requests + inFlight) * length)
    return `bodies were ${bodyBytes} bytes, not ${requests} × ${length}`;
  return undefined;
}

function parseSeconds(text: string): number {
  const unit = { us: 1e-6, ms: 1e-3, s: 1, m: 60 }[text.replace(/^[0-9.]+/, "") as "us" | "ms" | "s" | "m"];
  return Number.parseFloat(text) * unit;
}
