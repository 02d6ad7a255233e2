import { fileURLToPath } from "node:url";
import type { Command } from "./pinned-process.ts";

/** Something that terminates TLS in front of the app. {@link fillIn} says what may stand in braces. */
export interface Proxy extends Command {
  readonly name: string;
  /** A file in `peers/` that becomes `{config}`. */
  readonly config?: string;
  readonly workers?: number;
  /** Over and above HTTP/1.1. */
  readonly http2?: true;
  /** It knows nothing of HTTP. */
  readonly pipe?: true;
  readonly ours?: true;
}

/** Ours, by the commands that a user gives, and others that do the same work. */
export const proxies: readonly Proxy[] = [
  { ...nginx("nginx", 1), http2: true },
  { ...haproxy("haproxy", "haproxy.cfg"), http2: true },
  { ...ours("relay"), http2: true },
  ours("http-proxy-engine", "--engine", "http-proxy"),
  node("http-proxy", "http-proxy.ts"),
  node("http-proxy-3", "http-proxy-3.ts"),
  node("undici", "undici.ts"),
  node("fast-proxy", "fast-proxy.ts"),
  node("httpxy", "httpxy.ts"),
  { ...ours("tcp", "--mode", "tcp"), pipe: true },
  { name: "hitch", config: "hitch.conf", line: ["hitch", "--config={config}"], pipe: true },
  { ...haproxy("haproxy-tcp", "haproxy-tcp.cfg"), pipe: true },
  { ...ours("relay-2-workers", "--workers", "2"), workers: 2 },
  nginx("nginx-2-workers", 2),
];

/** `name=program arguments`: what is to be measured beside them. @throws when it isn't that */
export function customProxy(text: string): Proxy {
  const [, name, line] = /^([^=\s]+)=(.*\S)$/s.exec(text) ?? [];
  if (name === undefined || line === undefined)
    throw new Error(`--command "${text}": no name. It is NAME=PROGRAM ARGUMENTS`);
  return { name, line: line.split(/\s+/), http2: true };
}

/** Replaces `{name}` by its value. @throws when there is none of that name */
export function fillIn(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{([a-z0-9]+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`"{${name}}": there is no such value`);
    return String(value);
  });
}

function nginx(name: string, workers: number): Proxy {
  return { name, config: "nginx.conf", line: ["nginx", "-p", "{directory}", "-c", "{config}"], workers };
}

function haproxy(name: string, config: string): Proxy {
  return { name, config, line: ["haproxy", "-db", "-f", "{config}"] };
}

function node(name: string, file: string): Proxy {
  const program = fileURLToPath(new URL(`peers/${file}`, import.meta.url));
  return { name, line: [process.execPath, program, "{port}", "{upstream}", "{pem}"] };
}

/** The sources of this clone, with the flags and variables that the image has. */
function ours(name: string, ...args: readonly string[]): Proxy {
  const program = fileURLToPath(new URL("../../packages/tls-proxy/bin/tls-proxy.js", import.meta.url));
  const run = [process.execPath, "--no-memory-reducer", "--conditions=@pillion/source", program];
  const where = ["--listen", "127.0.0.1:{port}", "--upstream", "127.0.0.1:{upstream}"];
  const certificate = ["--cert", "{certificate}", "--key", "{key}"];
  const quiet = ["--admin-listen", "127.0.0.1:{admin}", "--log-level", "warn"];
  const environment = {
    MALLOC_ARENA_MAX: "1",
    MALLOC_TRIM_THRESHOLD_: "65536",
    NODE_OPTIONS: "--max-semi-space-size=4",
  };
  return { name, line: [...run, ...where, ...certificate, ...quiet, ...args], environment, ours: true };
}
