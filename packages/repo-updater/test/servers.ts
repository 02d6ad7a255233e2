import { spawn } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { type AddressInfo, type Socket, createServer as createSocketServer } from "node:net";
import { basename, dirname } from "node:path";

interface Serving extends AsyncDisposable {
  readonly url: string;
}

export interface HttpServer extends Serving {
  /** Method, path and authorization of each request. */
  readonly requests: readonly { readonly line: string; readonly authorization: string | undefined }[];
}

/** Serves a repository over smart HTTP: git's own CGI program, behind basic authentication if there are credentials. */
export async function serveHttp(repository: string, credentials?: string): Promise<HttpServer> {
  const requests: { line: string; authorization: string | undefined }[] = [];
  const wanted = credentials && `Basic ${Buffer.from(credentials).toString("base64")}`;
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    requests.push({ line: `${request.method} ${request.url}`, authorization });
    if (wanted && authorization !== wanted) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="git"' }).end();
    } else serveByCgi(dirname(repository), request, response);
  });
  return { ...(await onLoopback(server, (port) => `http://127.0.0.1:${port}/${basename(repository)}`)), requests };
}

/** Sends every request on to another repository's URL. */
export async function serveRedirects(to: string): Promise<Serving> {
  const server = createServer((request, response) => {
    const rest = request.url?.replace(/^\/[^/]+/, "") ?? "";
    response.writeHead(301, { Location: to + rest }).end();
  });
  return await onLoopback(server, (port) => `http://127.0.0.1:${port}/content.git`);
}

/** git-http-backend(1), RFC 3875. */
function serveByCgi(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const { headers } = request;
  const env = {
    PATH: process.env["PATH"],
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
    PATH_INFO: pathname,
    QUERY_STRING: String(searchParams),
    REQUEST_METHOD: request.method,
    CONTENT_TYPE: headers["content-type"] ?? "",
    HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
  };
  const backend = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "ignore"] });
  request.pipe(backend.stdin).on("error", () => {});
  const chunks: Buffer[] = [];
  backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  backend.on("close", () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf("\r\n\r\n");
    for (const line of answer.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(/: ?(.*)/s);
      if (name === "Status") response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(answer.subarray(end + 4));
  });
}

/** Takes connections and never answers. `connected` resolves with the first byte that somebody sends. */
export async function serveSilence(): Promise<Serving & { readonly connected: Promise<void> }> {
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("data", () => resolve());
  });
  const serving = await onLoopback(server, (port) => `http://127.0.0.1:${port}/content.git`);
  return {
    ...serving,
    connected,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await serving[Symbol.asyncDispose]();
    },
  };
}

/** git-daemon(1) on a free loopback port. */
export async function serveDaemon(repository: string): Promise<Serving> {
  const port = await freePort();
  const where = ["--listen=127.0.0.1", `--port=${port}`, "--export-all", `--base-path=${dirname(repository)}`];
  const args = ["daemon", "--reuseaddr", "--verbose", "--log-destination=stderr", ...where];
  // A group of its own: git only starts the program that is the daemon.
  const daemon = spawn("git", args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
  await new Promise<void>((resolve, reject) => {
    daemon.stderr.on("data", (chunk) => String(chunk).includes("Ready to rumble") && resolve());
    daemon.once("exit", (code) => reject(new Error(`git daemon ended with ${code}`)));
  });
  return {
    url: `git://127.0.0.1:${port}/${basename(repository)}`,
    async [Symbol.asyncDispose]() {
      const ended = once(daemon, "exit");
      process.kill(-(daemon.pid ?? 0), "SIGTERM");
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createSocketServer();
  await using serving = await onLoopback(server, (port) => `http://127.0.0.1:${port}/`);
  return Number(new URL(serving.url).port);
}

async function onLoopback(
  server: Server | ReturnType<typeof createSocketServer>,
  urlOf: (port: number) => string,
): Promise<Serving> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: urlOf(port),
    async [Symbol.asyncDispose]() {
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
