import { type Amount, h2load } from "./h2load.ts";
import type { Path } from "./probe.ts";
import type { Proxy } from "./proxies.ts";
import { handshakes } from "./s-time.ts";
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
  readonly isFor: (proxy: Proxy) => boolean;
  /** CPU time of all its processes, or of the one that used most: then more workers mean more. */
  readonly cpu: "all" | "busiest";
  /** Proxies that ratios are of. */
  readonly yardsticks: readonly string[];
  /** Which proxy has to be at least so many times as good as a yardstick. */
  readonly target?: { readonly of: string; readonly least: Readonly<Record<string, number>> };
  /** @throws when anything isn't right, with the reason */
  readonly load: (bed: TestBed, port: number, amount: Amount) => Promise<Load>;
}

const common = {
  alpn: "http/1.1",
  path: "/1k",
  isFor: isHttp,
  cpu: "all",
  yardsticks: ["nginx", "http-proxy"],
} as const;
/** Digits of what the app says that it received of an upload. */
const RECEIVED = 7;

export const workloads: readonly Workload[] = [
  {
    ...common,
    name: "http1-1k",
    title: "HTTP/1.1, 1 KiB, 64 connections",
    target: { of: "relay", least: { nginx: 0.85, "http-proxy": 4 } },
    load: keepAlive({ path: "/1k", length: KIBIBYTE, connections: 64 }),
  },
  {
    ...common,
    name: "http1-1m-down",
    title: "HTTP/1.1, 1 MiB down, 64 connections",
    path: "/1m",
    target: { of: "relay", least: { nginx: 0.9 } },
    load: keepAlive({ path: "/1m", length: MEBIBYTE, connections: 64 }),
  },
  {
    ...common,
    name: "http1-1m-up",
    title: "HTTP/1.1, 1 MiB up, 64 connections",
    path: "/upload",
    target: { of: "relay", least: { nginx: 0.9 } },
    load: keepAlive({ path: "/upload", length: RECEIVED, connections: 64 }),
  },
  {
    ...common,
    name: "http2-1k",
    title: "HTTP/2, 1 KiB, 16 connections of 8 streams",
    alpn: "h2,http/1.1",
    isFor: (proxy) => isHttp(proxy) && proxy.http2 === true,
    target: { of: "relay", least: { nginx: 0.5 } },
    load: http2({ connections: 16, streams: 8 }),
  },
  {
    ...common,
    name: "handshake-full",
    title: "Full TLS 1.3 handshakes, each with one request",
    target: { of: "relay", least: { nginx: 0.75 } },
    load: handshakes("full"),
  },
  {
    ...common,
    name: "handshake-resumed",
    title: "Resumed TLS 1.3 handshakes, each with one request",
    target: { of: "relay", least: { nginx: 0.85 } },
    load: handshakes("resumed"),
  },
  {
    ...common,
    name: "tcp-1k",
    title: "Byte pipes: HTTP/1.1, 1 KiB, 64 connections",
    isFor: ({ pipe }) => pipe === true,
    yardsticks: ["hitch", "haproxy-tcp"],
    load: keepAlive({ path: "/1k", length: KIBIBYTE, connections: 64 }),
  },
  {
    ...common,
    name: "workers",
    title: "Two workers: HTTP/1.1, 1 KiB, 256 connections, by the busiest process",
    isFor: ({ name }) => /^(relay|nginx)(-2-workers)?$/.test(name),
    cpu: "busiest",
    yardsticks: ["relay", "nginx"],
    target: { of: "relay-2-workers", least: { relay: 1.8 } },
    load: keepAlive({ path: "/1k", length: KIBIBYTE, connections: 256 }),
  },
];

function keepAlive({ path, length, connections }: { path: Path; length: number; connections: number }) {
  return (bed: TestBed, port: number, amount: Amount): Promise<Load> => {
    const upload = path === "/upload" ? ["--data", bed.upload] : [];
    const args = ["--h1", "--clients", `${connections}`, ...upload, `https://127.0.0.1:${port}${path}`];
    return h2load(bed, amount, args, { protocol: "http/1.1", length, inFlight: connections });
  };
}

function http2({ connections, streams }: { connections: number; streams: number }) {
  return (bed: TestBed, port: number, amount: Amount): Promise<Load> => {
    const url = `https://127.0.0.1:${port}/1k`;
    const args = ["--clients", `${connections}`, "--max-concurrent-streams", `${streams}`, url];
    return h2load(bed, amount, args, { protocol: "h2", length: KIBIBYTE, inFlight: connections * streams });
  };
}

function isHttp({ pipe, workers }: Proxy): boolean {
  return !pipe && (workers ?? 1) === 1;
}
