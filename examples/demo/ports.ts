import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describeFault, systemCode } from "@pillion/kit";

/** Every port of the demo: who listens there, the option that moves it, and where it is when nobody says. */
export const portTable = {
  https: { option: "https-port", owner: "tls-proxy", usual: 8443, what: "HTTPS in front of the app" },
  app: { option: "app-port", owner: "legacy-app", usual: 8080, what: "the app's own plain HTTP" },
  topz: { option: "topz-port", owner: "topz", usual: 9180, what: "the page of topz" },
  tlsProxy: { option: "tls-proxy-port", owner: "tls-proxy", usual: 9181, what: "probes and metrics of tls-proxy" },
  repoUpdater: {
    option: "repo-updater-port",
    owner: "repo-updater",
    usual: 9182,
    what: "probes and metrics of repo-updater",
  },
  configSync: {
    option: "config-sync-port",
    owner: "config-sync",
    usual: 9183,
    what: "probes and metrics of config-sync",
  },
} as const;

export type PortName = keyof typeof portTable;
export type Ports = Readonly<Record<PortName, number>>;

export const portNames = Object.keys(portTable) as PortName[];

/** A number for each port, made of what `number` says for each. */
export function portsOf(number: (name: PortName) => number): Ports {
  return Object.fromEntries(portNames.map((name) => [name, number(name)])) as Ports;
}

/**
 * Listens on all ports at once and lets go again, so that nothing is started when one of them can't be had.
 *
 * @param wanted 0 is any free port
 * @returns the real numbers, or what is wrong with each that can't be had
 */
export async function reservePorts(
  wanted: Ports,
): Promise<{ readonly ports: Ports } | { readonly problems: readonly string[] }> {
  const attempts = await Promise.all(portNames.map((name) => hold(name, wanted[name])));
  for (const attempt of attempts) if ("release" in attempt) attempt.release();
  const problems = attempts.flatMap((attempt) => ("problem" in attempt ? [attempt.problem] : []));
  if (problems.length > 0) return { problems };
  const held = new Map(attempts.flatMap((attempt) => ("release" in attempt ? [[attempt.name, attempt.port]] : [])));
  return { ports: portsOf((name) => held.get(name) ?? 0) };
}

type Attempt = { readonly name: PortName; readonly port: number; release(): void } | { readonly problem: string };

async function hold(name: PortName, wanted: number): Promise<Attempt> {
  const server = createServer();
  try {
    server.listen({ host: "127.0.0.1", port: wanted });
    await once(server, "listening");
    return { name, port: (server.address() as AddressInfo).port, release: () => void server.close() };
  } catch (error) {
    return { problem: describeTaken(name, wanted, systemCode(error)) };
  }
}

function describeTaken(name: PortName, port: number, code = "unknown error"): string {
  const { option, owner, what } = portTable[name];
  const reasons: Record<string, string> = { EADDRINUSE: "is taken", EACCES: "is for root only" };
  return describeFault({
    subject: `port ${port}`,
    reason: `${reasons[code] ?? `can't be had (${code})`}, and ${owner} needs it for ${what}`,
    remedy: `Choose another with --${option} N, or --${option} 0 for any that is free`,
  });
}
