import { type Expected, h2load } from "./h2load.ts";
import type { Path } from "./probe.ts";
import type { Proxy } from "./proxies.ts";
import { KIBIBYTE, MEBIBYTE, type TestBed } from "./test-bed.ts";

/** What a load generator counted, all of it right. */
export interface Load {
  readonly requests: number;
  /** Seconds. */
  readonly elapsed: number;
}

/** Requests of one kind as fast as they are answered; the figure is how many of them a CPU second of the proxy makes. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly path: Path;
  readonly alpn: "http/1.1" | "h2,http/1.1";
  readonly proxies: (proxy: Proxy) => boolean;
  /** At least so many times the figure of a peer. */
  readonly targets: Readonly<Record<string, number>>;
  /** @throws when anything isn't right, with the reason */
  readonly load: (bed: TestBed, port: number, seconds: number) => Promise<Load>;
}

const http1 = { alpn: "http/1.1", proxies: isHttp } as const;
/** Digits of what the app received of an upload. */
const RECEIVED = 7;

export const workloads: readonly Workload[] = [
  {
    ...http1,
    name: "http1-1k",
    title: "HTTP/1.1, 1 KiB, 64 connections",
    path: "/1k",
    targets: { nginx: 0.85, "http-proxy": 4 },
    load: keepAlive({ path: "/1k", length: KIBIBYTE, connections: 64 }),
  },
  {
    ...http1,
    name: "http1-1m-down",
    title: "HTTP/1.1, 1 MiB down, 64 connections",
    path: "/1m",
    targets: { nginx: 0.9 },
    load: keepAlive({ path: "/1m", length: MEBIBYTE, connections: 64 }),
  },
  {
    ...http1,
    name: "http1-1m-up",
    title: "HTTP/1.1, 1 MiB up, 64 connections",
    path: "/upload",
    targets: { nginx: 0.9 },
    load: keepAlive({ path: "/upload", length: RECEIVED, connections: 64 }),
  },
];

function keepAlive({ path, length, connections }: { path: Path; length: number; connections: number }) {
  return (bed: TestBed, port: number, seconds: number): Promise<Load> => {
    const expected: Expected = { protocol: "http/1.1", length, inFlight: connections };
    const upload = path === "/upload" ? ["--data", bed.upload] : [];
    const args = ["--h1", "--clients", `${connections}`, "--duration", `${seconds}`, ...upload];
    return h2load(bed.otherCore, [...args, `https://127.0.0.1:${port}${path}`], expected);
  };
}

function isHttp({ pipe, workers }: Proxy): boolean {
  return !pipe && (workers ?? 1) === 1;
}
