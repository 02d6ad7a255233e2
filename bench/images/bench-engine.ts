import { execFile } from "node:child_process";
import { appendFile, chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { type ControlGroup, controlGroupOf } from "./control-group.ts";
import { CERTIFICATE, GIT_SERVER, READY_PORT, type Subject, argumentsOf } from "./subjects.ts";
import { untilReady } from "./ready.ts";

const run = promisify(execFile);
const place = fileURLToPath(new URL(".", import.meta.url));
const source = fileURLToPath(new URL("../../examples/legacy-app/config", import.meta.url));
const LABEL = "pillion.bench";

/** Nothing that a sidecar doesn't need. */
const hardened =
  "--user 65532:65532 --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp --volume /data".split(
    " ",
  );

/** A container whose program is ready. */
export interface Running extends ControlGroup {
  readonly id: string;
  /** Its first process, as this machine counts. */
  readonly pid: number;
  /** Milliseconds from the call to where `docker run` came back, and to the first 200. */
  readonly returned: number;
  readonly ready: number;
}

/** Containers on a network of their own, all with one label, so that nothing is left behind. */
export class BenchEngine {
  readonly #name = `pillion-bench-${process.pid}`;
  readonly #signal: AbortSignal;
  #directory = "";

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async docker(...args: readonly string[]): Promise<string> {
    const { stdout } = await run("docker", args, { signal: this.#signal, maxBuffer: 1 << 26 });
    return stdout.trim();
  }

  async unpack(archive: string, directory: string): Promise<void> {
    await run("tar", ["--extract", "--file", archive, "--directory", directory], { signal: this.#signal });
  }

  async has(image: string): Promise<boolean> {
    return (await this.docker("image", "ls", "--quiet", image)) !== "";
  }

  async prepare(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), "pillion-bench-"));
    await makeCertificate(join(this.#directory, "certificate.pem"), this.#signal);
    await this.docker("network", "create", "--label", `${LABEL}=${this.#name}`, this.#name);
    const flags = ["--volume", "/srv/git", "--network-alias", GIT_SERVER];
    await this.docker(...this.#runCommand(flags), `pillion/${GIT_SERVER}`);
  }

  /** Runs a program in a subject's image to its end. Resolves with what it wrote. */
  async runInside({ image }: Subject, program: string, ...args: readonly string[]): Promise<string> {
    const [, , ...flags] = this.#runCommand(["--entrypoint", program, "--rm"]);
    return this.docker("run", ...flags, image, ...args);
  }

  /** The port is published on loopback; it is asked once `docker run` came back. */
  async start(subject: Subject): Promise<Running> {
    const port = await freePort();
    const flags = this.#runCommand(["--publish", `127.0.0.1:${port}:${READY_PORT}`, ...entryPoint(subject)]);
    const began = performance.now();
    const id = await this.docker(...flags, subject.image, ...argumentsOf(subject, "/data/state"));
    const returned = performance.now() - began;
    await untilReady(port, this.#signal).catch((error: unknown) => this.#explain(subject, id, error));
    const ready = performance.now() - began;
    const pid = Number(await this.docker("inspect", "--format", "{{.State.Pid}}", id));
    return { id, pid, returned, ready, ...(await controlGroupOf(pid)) };
  }

  async remove(...containers: readonly Running[]): Promise<void> {
    await this.docker("rm", "--force", "--volumes", ...containers.map(({ id }) => id));
  }

  wait(milliseconds: number): Promise<void> {
    return wait(milliseconds, undefined, { signal: this.#signal });
  }

  /** Removes all it made, also what a call made that was broken off. */
  async clear(): Promise<void> {
    if (this.#signal.aborted) await wait(1000); // the engine ends what a client that is gone had asked for
    const filter = ["--filter", `label=${LABEL}=${this.#name}`, "--quiet"];
    const list = async (...args: string[]) =>
      (await run("docker", [...args, ...filter])).stdout.split("\n").slice(0, -1);
    for (let left = await list("ps", "--all"); left.length > 0; left = await list("ps", "--all")) {
      await run("docker", ["rm", "--force", "--volumes", ...left]);
    }
    for (const network of await list("network", "ls")) await run("docker", ["network", "rm", network]);
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true });
  }

  async #explain({ name }: Subject, id: string, cause: unknown): Promise<never> {
    const { stdout, stderr } = await run("docker", ["logs", "--tail", "3", id]);
    throw new Error(`${name}: ${(cause as Error).message}; its log ends: ${stdout}${stderr}`, { cause });
  }

  /** Without the image's health probe, which is measured on its own. */
  #runCommand(more: readonly string[]): string[] {
    const own = ["--label", `${LABEL}=${this.#name}`, "--network", this.#name, "--no-healthcheck"];
    const mounts = [
      `${place}:/bench:ro`,
      `${source}:/source:ro`,
      `${this.#directory}/certificate.pem:${CERTIFICATE}:ro`,
    ];
    return ["run", "--detach", ...own, ...hardened, ...mounts.flatMap((mount) => ["--volume", mount]), ...more];
  }
}

/** Certificate and key in one file, which containers of another user can read. */
async function makeCertificate(file: string, signal: AbortSignal): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file];
  const certificate = ["-subj", "/CN=localhost", "-days", "1", "-out", `${file}.crt`];
  await run("openssl", ["req", "-x509", ...key, ...certificate], { signal });
  await appendFile(file, await readFile(`${file}.crt`));
  await chmod(file, 0o644);
}

/** A peer's image has another entry point, or none. */
function entryPoint({ program, isPeer }: Subject): string[] {
  return isPeer ? ["--entrypoint", program] : [];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The kernel's parent of a process: for a container's first one it is the engine's shim. */
export async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "latin1");
  return Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]);
}
