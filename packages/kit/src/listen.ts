import { once } from "node:events";
import { lstat, unlink } from "node:fs/promises";
import { type Server as HttpServer, type ServerResponse, createServer } from "node:http";
import { type AddressInfo, type ListenOptions, type Server, connect } from "node:net";
import { type Address, formatAddress } from "./address.ts";
import { kitErrors } from "./kit-errors.ts";
import { systemCode } from "./errors.ts";
import type { Routes } from "./routes.ts";

/**
 * Starts a server on an address.
 *
 * @param option the option that the address came from, for messages: `--listen`
 * @param reusePort whether other processes of this user may listen on the same port, and share its connections
 * @returns the address it listens on, with the real port where 0 was asked for
 * @throws LISTEN_FAILED with the remedy
 */
export async function listen(server: Server, address: Address, option: string, reusePort = false): Promise<Address> {
  const target: ListenOptions =
    "path" in address ? address : { port: address.port, reusePort, ...(address.host && { host: address.host }) };
  try {
    await listenOnce(server, target);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (!("path" in address)) throw listenError(option, address, code, error);
    const inUse = code === "EADDRINUSE" ? await inUseBy(address.path) : code;
    if (inUse !== "nobody") throw listenError(option, address, inUse, error);
    await unlink(address.path);
    await listenOnce(server, target);
  }
  if ("path" in address) return address;
  return { host: address.host, port: (server.address() as AddressInfo).port };
}

async function listenOnce(server: Server, target: ListenOptions): Promise<void> {
  server.listen(target);
  await once(server, "listening");
}

/**
 * Why there can't be another socket at `path`, as a code. A socket's file outlives the process that was killed: nobody
 * answers on it. Any other file is not ours to remove.
 */
async function inUseBy(path: string): Promise<"nobody" | "ENOTSOCK" | "EADDRINUSE"> {
  if (!(await lstat(path)).isSocket()) return "ENOTSOCK";
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return "EADDRINUSE";
  } catch (refused) {
    return systemCode(refused) === "ECONNREFUSED" ? "nobody" : "EADDRINUSE";
  } finally {
    socket.destroy();
  }
}

const REASONS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  EADDRINUSE: ["the address is in use", "Stop what listens there, or choose another"],
  ENOTSOCK: ["another file is there, which is no socket", "Take it away, or choose another path"],
  EACCES: [
    "this user may not listen there",
    "Choose a port from 1024 up, or a directory that exists and that it may write",
  ],
  EADDRNOTAVAIL: ["this machine has no such address", "Choose one of its own, 127.0.0.1 or :PORT for all"],
  ENOTSUP: ["this system doesn't let processes share a port", "Have one process serve it, or choose another address"],
  ENOTFOUND: ["the host name is not known", "Give an IP address"],
};

function listenError(option: string, address: Address, code: string, cause: unknown): Error {
  const [reason, remedy] = REASONS[code] ?? [`can't listen there (${code})`, "Choose another"];
  return kitErrors.LISTEN_FAILED({
    subject: option,
    value: formatAddress(address),
    reason,
    remedy: `${remedy} with ${option}`,
    cause,
  });
}

/** Limits for endpoints that are asked by people and probes, not by the world. */
const LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 };

/**
 * Serves routes over plain HTTP. `close` waits for the answers under way until the deadline and cuts all else off at
 * once; it rejects with CUT_OFF when answers were left.
 */
export async function listenHttp(
  routes: Routes,
  address: Address,
  option: string,
): Promise<{ readonly address: Address; close(deadline?: AbortSignal): Promise<void> }> {
  const answers = new Set<ServerResponse>();
  const server: HttpServer = createServer(LIMITS, (request, response) => {
    answers.add(response);
    response.once("close", () => answers.delete(response));
    void routes.handle(request, response);
  });
  const bound = await listen(server, address, option);
  return {
    address: bound,
    async close(deadline) {
      const closed = once(server, "close");
      server.close();
      // Not by closeIdleConnections: a client that sent half a request would hold the server open for good.
      await Promise.allSettled([...answers].map((answer) => once(answer, "close", { signal: deadline })));
      const left = answers.size;
      server.closeAllConnections();
      await closed;
      if (left > 0)
        throw kitErrors.CUT_OFF({ subject: formatAddress(bound), reason: `cut off with answers under way: ${left}` });
    },
  };
}
