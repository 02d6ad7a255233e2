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
  /** Bytes of bodies. */
  readonly bodyBytes: number;
  readonly protocol: string;
  readonly tlsVersion: string;
}

/** What makes an answer right. */
export interface Expected {
  readonly protocol: "http/1.1" | "h2";
  /** Bytes of a body. */
  readonly length: number;
  /** Requests under way at a time. */
  readonly inFlight: number;
}

/** How much h2load is to do. Its --duration isn't used: h2load 1.52 may not come to its end (nghttp2's issue 2250). */
export interface Amount {
  readonly seconds: number;
  /** Requests a second of the run before. Without it, only a few are made. */
  readonly rate: number | undefined;
}

/** Requests of each connection or stream, when nobody knows how many a second there will be. */
const FEW = 4;
/** How much longer than meant a run may take: other work on the machine, and compilers that start. */
const PATIENCE = { times: 4, seconds: 20 };

/** Runs h2load on the core of the load. @throws when it can't be run, or what came isn't right, with the reason */
export async function h2load(
  { otherCore, signal }: Pick<TestBed, "otherCore" | "signal">,
  { seconds, rate }: Amount,
  args: readonly string[],
  expected: Expected,
): Promise<LoadResult> {
  const few = FEW * expected.inFlight;
  const requests = rate === undefined ? few : Math.max(few, Math.round(rate * seconds));
  const all = ["--cpu-list", otherCore, "h2load", "--requests", `${requests}`, ...args];
  const patience = seconds * PATIENCE.times + PATIENCE.seconds;
  const { stdout } = await promisify(execFile)("taskset", all, { signal, timeout: patience * 1000 }).catch(
    (error: Error & { stderr?: string; killed?: boolean }) => {
      const reason = error.killed ? `${requests} answers didn't come within ${patience} s` : error.stderr?.trim();
      throw new Error(`h2load: ${reason || error.message}`, { cause: error });
    },
  );
  const result = parseH2load(stdout);
  const wrong = whatIsWrong(result, requests, expected);
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
export function whatIsWrong(result: LoadResult, wanted: number, { protocol, length }: Expected): string | undefined {
  const { requests, failed, statuses, bodyBytes, tlsVersion } = result;
  if (failed > 0 || requests !== wanted) return `${failed} requests failed, ${requests} of ${wanted} didn't`;
  if (statuses["2xx"] !== requests) return `answers were not all 2xx: ${JSON.stringify(statuses)}`;
  if (result.protocol !== protocol) return `it spoke ${result.protocol}, not ${protocol}`;
  if (tlsVersion !== "TLSv1.3") return `it spoke ${tlsVersion}, not TLSv1.3`;
  if (bodyBytes !== requests * length) return `bodies were ${bodyBytes} bytes, not ${requests} × ${length}`;
  return undefined;
}

function parseSeconds(text: string): number {
  const unit = { us: 1e-6, ms: 1e-3, s: 1, m: 60 }[text.replace(/^[0-9.]+/, "") as "us" | "ms" | "s" | "m"];
  return Number.parseFloat(text) * unit;
}
