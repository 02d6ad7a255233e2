import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type PinnedProcess, startPinned, untilListening } from "./pinned-process.ts";
import { type Proxy, fillIn } from "./proxies.ts";

/** Bytes of the app's small and large answer, and of an upload. */
export const KIBIBYTE = 1024;
export const MEBIBYTE = 1024 * 1024;

/** A proxy that listens. */
export interface RunningProxy {
  readonly proxy: Proxy;
  readonly port: number;
  readonly process: PinnedProcess;
}

/** A directory, a certificate and an app, the same for every proxy. Disposing of it ends all that was started. */
export class TestBed implements AsyncDisposable {
  readonly proxyCore: string;
  /** Of the load generators and the app. */
  readonly otherCore: string;
  /** Aborted when the bench is to end early. */
  readonly signal: AbortSignal;
  readonly #directory: string;
  readonly #cleanup = new AsyncDisposableStack();
  #upstream = 0;
  #started = 0;

  private constructor(directory: string, [proxyCore, otherCore]: readonly [string, string], signal: AbortSignal) {
    this.signal = signal;
    this.#directory = directory;
    this.proxyCore = proxyCore;
    this.otherCore = otherCore;
    this.#cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  }

  static async make(cores: readonly [string, string], signal: AbortSignal): Promise<TestBed> {
    const bed = new TestBed(await mkdtemp(join(tmpdir(), `pillion-bench-${process.pid}-`)), cores, signal);
    try {
      await bed.#makeFiles();
      await bed.#startApp();
      return bed;
    } catch (error) {
      await bed[Symbol.asyncDispose]();
      throw error;
    }
  }

  get certificate(): string {
    return join(this.#directory, "certificate.pem");
  }

  /** A file of {@link MEBIBYTE} to send. */
  get upload(): string {
    return join(this.#directory, "1m");
  }

  /** @throws when it doesn't come to listen, with what it said */
  async start(proxy: Proxy, alpn: "http/1.1" | "h2,http/1.1" = "http/1.1"): Promise<RunningProxy> {
    const directory = join(this.#directory, `${proxy.name}-${++this.#started}`);
    await mkdir(directory);
    const [port, admin] = [await freePort(), await freePort()];
    const values: Record<string, string | number> = {
      port,
      admin,
      directory,
      alpn,
      http2: alpn === "http/1.1" ? "" : "http2",
      upstream: this.#upstream,
      workers: proxy.workers ?? 1,
      certificate: this.certificate,
      key: join(this.#directory, "key.pem"),
      pem: join(this.#directory, "both.pem"),
      config: join(directory, "config"),
    };
    if (proxy.config !== undefined) await render(new URL(`peers/${proxy.config}`, import.meta.url), values);
    const line = proxy.line.map((part) => fillIn(part, values));
    const program = startPinned({ ...proxy, line }, this.proxyCore, directory);
    this.#cleanup.use(program);
    await untilListening(program, port);
    return { proxy, port, process: program };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  async #makeFiles(): Promise<void> {
    const [certificate, key] = [this.certificate, join(this.#directory, "key.pem")];
    const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
    const what = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "7"];
    const where = ["-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext", names];
    await promisify(execFile)("openssl", ["req", "-x509", ...what, ...where]);
    await writeFile(
      join(this.#directory, "both.pem"),
      (await readFile(certificate, "utf8")) + (await readFile(key, "utf8")),
    );
    await writeFile(this.upload, Buffer.alloc(MEBIBYTE, "m"));
  }

  async #startApp(): Promise<void> {
    this.#upstream = await freePort();
    const config = join(this.#directory, "config");
    const values = { port: this.#upstream, directory: this.#directory, config, kibibyte: "k".repeat(KIBIBYTE) };
    await render(new URL("upstream/nginx.conf", import.meta.url), values);
    const command = { line: ["nginx", "-p", this.#directory, "-c", config] };
    const app = startPinned(command, this.otherCore, this.#directory);
    this.#cleanup.use(app);
    await untilListening(app, this.#upstream);
  }
}

async function render(template: URL, values: Readonly<Record<string, string | number>>): Promise<void> {
  await writeFile(String(values["config"]), fillIn(await readFile(template, "utf8"), values));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
