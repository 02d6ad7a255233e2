import { execFile } from "node:child_process";
import { promisify } from "node:util";

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

/** Runs h2load on one core. @throws when it can't be run, or what came isn't right, with the reason */
export async function h2load(core: string, args: readonly string[], expected: Expected): Promise<LoadResult> {
  const all = ["--cpu-list", core, "h2load", ...args];
  const { stdout } = await promisify(execFile)("taskset", all).catch((error: Error & { stderr?: string }) => {
    throw new Error(`h2load: ${error.stderr?.trim() || error.message}`, { cause: error });
  });
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
    elapsed: seconds(find(/^finished in ([0-9.]+(?:us|ms|s|m))/m)),
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

function seconds(text: string): number {
  const unit = { us: 1e-6, ms: 1e-3, s: 1, m: 60 }[text.replace(/^[0-9.]+/, "") as "us" | "ms" | "s" | "m"];
  return Number.parseFloat(text) * unit;
}
