import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type GroupPlan, type MemberName, type Places, sidecarNames } from "./driver.ts";
import { freePorts } from "./free-ports.ts";

const run = promisify(execFile);
const MOST_PORTS = 12;

/** A group before it runs: its directory, its ports, its command lines. Every driver starts from one. */
export interface Layout extends AsyncDisposable {
  readonly places: Places;
  readonly user: number;
  /** What each member is told. Sidecars come first, the app is last. */
  readonly flags: ReadonlyMap<MemberName, readonly string[]>;
  /** The ports that are asked from outside, by name. */
  readonly published: ReadonlyMap<string, number>;
}

export interface LayoutOptions {
  /** The host part of the addresses that are asked from outside: empty for all interfaces. */
  readonly host: "127.0.0.1" | "";
  readonly user: number;
}

/** Makes the directory and the command lines. Disposal removes the directory. */
export async function layOut(plan: GroupPlan, { host, user }: LayoutOptions): Promise<Layout> {
  const directory = await mkdtemp(join(await realpath(tmpdir()), "pillion-e2e-"));
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 5 });
  try {
    const ports = namedPorts(await freePorts(MOST_PORTS));
    const published = new Map<string, number>();
    const places: Places = {
      directory,
      port: ports,
      outside(name) {
        published.set(name, ports(name));
        return `${host}:${ports(name)}`;
      },
    };
    await plan.prepare?.(places);
    await run("chown", ["--recursive", `${user}:${user}`, directory]);
    return { places, user, flags: commandLines(plan, places), published, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function namedPorts(free: number[]): (name: string) => number {
  const taken = new Map<string, number>();
  return (name) => {
    const port = taken.get(name) ?? free.pop();
    if (port === undefined) throw new Error(`port "${name}": a group has at most ${MOST_PORTS} ports`);
    taken.set(name, port);
    return port;
  };
}

function commandLines(plan: GroupPlan, places: Places): Map<MemberName, readonly string[]> {
  const lines = new Map<MemberName, readonly string[]>();
  for (const name of sidecarNames) {
    const flags = plan.sidecars[name];
    if (flags) lines.set(name, [...flags(places), `--health-listen=${places.outside(name)}`]);
  }
  if (plan.app) lines.set("app", plan.app.flags(places));
  return lines;
}
