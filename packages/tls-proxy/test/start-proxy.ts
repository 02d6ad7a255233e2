import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TLSSocket, connect } from "node:tls";
import { type Address, type Logger, listen } from "@pillion/kit";
import { Certificates, type CertificatesOptions } from "../src/certificates/certificates.ts";
import { TicketKeys } from "../src/certificates/ticket-keys.ts";
import { type AnswerRules, NO_RULES } from "../src/answers/answer-rules.ts";
import type { ConnectionHandler } from "../src/front/connection-handler.ts";
import { Front } from "../src/front/front.ts";
import type { AccessLog } from "../src/access-log/access-log.ts";
import { httpProxyEngine } from "../src/http-proxy/engine-on-http-proxy.ts";
import { HttpProxyHandler, type HttpProxyHandlerOptions } from "../src/http-proxy/http-proxy-handler.ts";
import { H2cSessions } from "../src/h2c/h2c-sessions.ts";
import { Http2Handler } from "../src/http2/http2-handler.ts";
import { DEFAULT_LIMITS, type RelayLimits } from "../src/relay/relay-options.ts";
import { Relay } from "../src/relay/relay.ts";
import { UpstreamPool } from "../src/upstream/upstream-pool.ts";

/** What tests of both engines are run with: `describe.each(engines)`. */
export const engines = ["relay", "http-proxy"] as const;
export type EngineName = (typeof engines)[number];

export interface StartedProxy extends AsyncDisposable {
  readonly port: number;
  readonly front: Front;
  readonly certificates: Certificates;
  readonly ca: string;
  readonly caPath: string;
  /** What it told, in order: `handshake TLSv1.3`, `answered 200`, `away ECONNREFUSED`. */
  readonly told: readonly string[];
}

export interface ProxyOptions {
  readonly engine?: EngineName;
  readonly relay?: Partial<RelayLimits>;
  readonly httpProxy?: HttpProxyHandlerOptions["limits"];
  /** Listeners on http-proxy's events. */
  readonly attach?: Parameters<typeof httpProxyEngine>[3];
  /** Without these, with a development certificate. */
  readonly files?: Partial<CertificatesOptions>;
  readonly ticketKeys?: TicketKeys;
  /** Of the relay and HTTP/2. */
  readonly rules?: AnswerRules;
  readonly access?: Pick<AccessLog, "write">;
  /** The app speaks HTTP/2 alone. */
  readonly h2c?: boolean;
  /** How long requests wait for an app that isn't there, milliseconds. */
  readonly wait?: number;
}

/** The front with an engine behind it, on a free loopback port. */
export async function startProxy(app: number | Address, options: ProxyOptions = {}): Promise<StartedProxy> {
  const directory = await mkdtemp(join(tmpdir(), "tls-proxy-"));
  const told: string[] = [];
  const stop = new AbortController();
  const { files, ticketKeys = new TicketKeys() } = options;
  const certificates = await Certificates.open(
    { ...CERTIFICATES, stateDir: directory, ...files },
    { log: QUIET, health: { condition: () => SILENT }, signal: stop.signal, ticketKeys },
  );
  const address = typeof app === "number" ? { host: "127.0.0.1", port: app } : app;
  const handlers = handlersOf(address, options, told);
  const front = new Front({
    certificates,
    handlers: { ...handlers, "http/1.0": handlers["http/1.1"] },
    otherwise: handlers["http/1.1"],
    observer: {
      handshakeSucceeded: (version) => told.push(`handshake ${version}`),
      handshakeFailed: (error) => told.push(`handshake failed ${error.code}`),
    },
  });
  const bound = await listen(front.server, { host: "127.0.0.1", port: 0 }, "--listen");
  const caPath = join(directory, "development-ca/ca.pem");
  return {
    port: "port" in bound ? bound.port : 0,
    front,
    certificates,
    ca: await readFile(caPath, "utf8").catch(() => ""),
    caPath,
    told,
    async [Symbol.asyncDispose]() {
      await front.drain(AbortSignal.abort());
      stop.abort();
      await certificates.closed();
      await rm(directory, { recursive: true });
    },
  };
}

const CERTIFICATES: Omit<CertificatesOptions, "stateDir"> = {
  cert: [],
  key: [],
  hostName: [],
  sniStrict: false,
  tlsPolicy: "intermediate",
  ticketRotation: 3_600_000,
  clientAuth: "require",
  allowClient: [],
};

const nothing = () => {};
const QUIET: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => QUIET,
};
const SILENT = { ok: () => {}, degraded: () => {}, failed: () => {} };

function handlersOf(
  address: Address,
  options: ProxyOptions,
  told: string[],
): { "http/1.1": ConnectionHandler; h2?: ConnectionHandler } {
  const { engine = "relay", relay = {}, httpProxy = {}, wait = 0 } = options;
  const observer = {
    away: (error: NodeJS.ErrnoException) => told.push(`away ${error.code}`),
    failed: (error: NodeJS.ErrnoException) => told.push(`failed ${error.code ?? error.message}`),
    reached: () => {},
    answered: (status: number) => told.push(`answered ${status}`),
  };
  const defaultHost = "app.internal";
  if (engine === "http-proxy") {
    const http = new HttpProxyHandler({
      engine: httpProxyEngine(address, observer, options.rules, options.attach),
      defaultHost,
      observer,
      access: options.access,
      limits: httpProxy,
    });
    return { "http/1.1": http };
  }
  const toApp = { address, wait, connectTimeout: 5_000, observer };
  const pool = options.h2c ? new H2cSessions(toApp) : new UpstreamPool(toApp);
  const limits = { ...DEFAULT_LIMITS, ...relay };
  const shared = { pool, defaultHost, observer, rules: options.rules ?? NO_RULES, limits, access: options.access };
  return { h2: new Http2Handler(shared), "http/1.1": new Relay(shared) };
}

/** A client that speaks raw bytes over TLS. */
export interface RawClient {
  readonly socket: TLSSocket;
  send(bytes: string): void;
  /** Everything received so far, as latin1. */
  text(): string;
  /** Resolves when the text received so far matches. */
  receives(pattern: RegExp): Promise<string>;
  /** Resolves with everything once the proxy has closed. */
  readonly closed: Promise<string>;
}

export async function connectTo(
  { port, ca }: Pick<StartedProxy, "port" | "ca">,
  servername = "localhost",
): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", ca, servername, ALPNProtocols: ["http/1.1"] });
  let received = "";
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  socket.on("error", () => {}).on("close", () => resolve(received));
  await once(socket, "secureConnect");
  return {
    socket,
    send: (bytes) => void socket.write(bytes, "latin1"),
    text: () => received,
    closed,
    async receives(pattern) {
      while (!pattern.test(received)) {
        if (socket.destroyed) throw new Error(`closed before ${pattern}: ${received}`);
        await Promise.race([once(socket, "data"), closed]);
      }
      return received;
    },
  };
}

/** Sends bytes on one connection and returns everything that came until it was closed. */
export async function exchange(proxy: Pick<StartedProxy, "port" | "ca">, bytes: string): Promise<string> {
  const client = await connectTo(proxy);
  client.send(bytes);
  return await client.closed;
}
