import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Amount } from "./h2load.ts";
import { KIBIBYTE, type TestBed } from "./test-bed.ts";
import type { Load } from "./workloads.ts";

/** What `openssl s_time` prints: one connection after another, one request on each. */
export interface Connections {
  readonly count: number;
  readonly full: number;
  readonly resumed: number;
  /** Bytes of an answer with its head, the mean. */
  readonly bytes: number;
}

/** One is one connection at a time. */
const PROCESSES = 4;
/** An answer's head is smaller. */
const HEAD = 1024;
/** s_time writes `GET … HTTP/1.0` around it: this makes HTTP/1.1 of it, whose last field ends with what s_time adds. */
const REQUEST = "/1k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Rest:";

/** @throws when a handshake was of the other kind, or an answer had another length */
export function handshakes(kind: "full" | "resumed") {
  return async (bed: TestBed, port: number, { seconds }: Amount): Promise<Load> => {
    const where = ["s_time", "-connect", `127.0.0.1:${port}`, "-tls1_3", "-www", REQUEST, "-time", `${seconds}`];
    const args = ["--cpu-list", bed.otherCore, "openssl", ...where, kind === "full" ? "-new" : "-reuse"];
    const began = performance.now();
    const limits = { signal: bed.signal, timeout: (seconds + 20) * 1000, maxBuffer: 1e8 };
    const all = await Promise.all(
      Array.from({ length: PROCESSES }, async () => {
        const { stdout } = await promisify(execFile)("taskset", args, limits);
        return parseSTime(stdout);
      }),
    );
    for (const each of all) {
      const wrong = whatIsWrong(each, kind);
      if (wrong !== undefined) throw new Error(wrong);
    }
    const requests = all.reduce((total, { count }) => total + count, 0);
    return { requests, elapsed: (performance.now() - began) / 1000 };
  };
}

/** @throws when it isn't the output of a run that came to its end */
export function parseSTime(output: string): Connections {
  const [, marks, count, bytes] =
    /^([*rt3]+)\n\n\d+ connections in .*\n(\d+) connections in \d+ real seconds, (\d+) bytes read per connection$/m.exec(
      output,
    ) ?? [];
  if (marks === undefined) throw new Error(`openssl s_time came to no end: ${output.trim().slice(-300)}`);
  const resumed = marks.split("r").length - 1;
  return { count: Number(count), full: marks.length - resumed, resumed, bytes: Number(bytes) };
}

/** Nothing when every connection was of its kind, and its answer whole. */
export function whatIsWrong(
  { count, full, resumed, bytes }: Connections,
  kind: "full" | "resumed",
): string | undefined {
  const [right, other] = kind === "full" ? [full, resumed] : [resumed, full];
  if (other > 0) return `${other} of ${count} handshakes weren't ${kind}`;
  if (right === 0 || right !== count) return `${count} connections, and ${right} handshakes that were ${kind}`;
  if (bytes <= KIBIBYTE || bytes > KIBIBYTE + HEAD) return `an answer had ${bytes} bytes`;
  return undefined;
}
