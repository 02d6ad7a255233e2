/** What is measured: a program in a container that answers `/readyz` on {@link READY_PORT}. */
export interface Subject {
  readonly name: string;
  readonly image: string;
  /** What the image runs, for a start without the engine. */
  readonly program: string;
  /** `STATE` in them becomes a fresh directory. */
  readonly args: readonly string[];
  /** Idle CPU in percent of a core. */
  readonly idleTarget?: number | undefined;
  readonly isPeer?: true;
}

/** Inside the container. */
export const READY_PORT = 9280;
/** Where a certificate and its key are mounted. */
export const CERTIFICATE = "/certificate.pem";
/** A git server that {@link GIT_SERVER} names on the network of the containers. */
export const GIT_SERVER = "git-server";

const health = ["--health-listen", `:${READY_PORT}`];
const repository = ["--repo", `git://${GIT_SERVER}/site`, "--root", "STATE"];

export const sidecars: readonly Subject[] = [
  { ...sidecar("topz", []), idleTarget: 0.5 },
  // a development certificate, which it makes at its first start
  sidecar("tls-proxy", ["--listen", ":8443", "--app-port", "8080", "--state-dir", "STATE"]),
  // polls are measured on their own
  sidecar("repo-updater", [...repository, "--period", "1h"]),
  sidecar("config-sync", ["--source", "/source", "--target", "STATE"]),
];

/** The other ways to run them. */
export const withCertificate: Subject = {
  ...sidecar("tls-proxy", ["--listen", ":8443", "--app-port", "8080", "--cert", CERTIFICATE, "--key", CERTIFICATE]),
  name: "tls-proxy with a certificate",
};
export const polling: Subject = {
  ...sidecar("repo-updater", [...repository, "--period", "10s"]),
  name: "repo-updater, polling every 10 s",
  idleTarget: undefined,
};

export const NGINX_IMAGE = "pillion-bench/nginx";
export const NODE_IMAGE = "node:26-trixie-slim";

const bareServer = `require("node:http").createServer((_, answer) => answer.end()).listen(${READY_PORT});
process.on("SIGTERM", () => process.exit());`;

/** What a bare server costs: on the same base, on the usual image for Node, and without Node. */
export const peers: readonly Subject[] = [
  { ...bareNode("bare node:http server on Pillion's base", "pillion/topz"), isPeer: true },
  { ...bareNode(`bare node:http server, ${NODE_IMAGE}`, NODE_IMAGE), isPeer: true },
  { name: "nginx", image: NGINX_IMAGE, program: "nginx", args: ["-c", "/bench/nginx/nginx.conf"], isPeer: true },
];

function sidecar(name: string, args: readonly string[]): Subject {
  return { name, image: `pillion/${name}`, program: `/${name}`, args: [...args, ...health], idleTarget: 0.1 };
}

function bareNode(name: string, image: string): Subject {
  return { name, image, program: "/usr/local/bin/node", args: ["--eval", bareServer] };
}

export function isSidecar({ isPeer }: Subject): boolean {
  return !isPeer;
}

export function argumentsOf({ args }: Subject, state: string): string[] {
  return args.map((arg) => (arg === "STATE" ? state : arg));
}
