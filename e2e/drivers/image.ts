import { docker, containerLog, LABEL, removeContainers, removeLeftovers } from "./engine.ts";
import type { Driver, Ended, Group, GroupPlan, Health, MemberName } from "./driver.ts";
import { appImage, missingImages } from "./images.ts";
import { type Layout, layOut } from "./layout.ts";
import { startInOrder } from "./starting.ts";
import { processNamespace, zombies } from "./zombies.ts";

/** Containers of the built images. One that only waits owns network, PID namespace and published ports; the others join it. */
export const driver: Driver = {
  name: "image",
  unavailable: () => (reason ??= whyUnavailable()),
  async start(plan) {
    const layout = await layOut(plan, { host: "", user: plan.user ?? 65_532 });
    try {
      const owner = await startOwner(layout);
      return await startInOrder(plan, groupOf(plan, layout, { owner, containers: new Map() }));
    } catch (error) {
      await layout[Symbol.asyncDispose]();
      throw error;
    }
  },
};

let reason: Promise<string | undefined> | undefined;

async function whyUnavailable(): Promise<string | undefined> {
  try {
    await docker("version", "--format={{.Server.Version}}");
  } catch (error) {
    return `no container engine answers: ${error instanceof Error ? error.message : String(error)}`;
  }
  const missing = await missingImages();
  if (missing.length > 0) return `images are missing: ${missing.join(", ")}; npm run images builds them`;
  await removeLeftovers();
  return undefined;
}

/** What every container of a group has, whatever is in it. */
const HARDENED = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"];

async function startOwner({ published, user }: Layout): Promise<string> {
  const ports = [...published.values()].map((port) => `--publish=127.0.0.1:${port}:${port}`);
  return await runContainer([...ports, `--user=${user}:${user}`, "pillion/pause"]);
}

async function runContainer(args: readonly string[]): Promise<string> {
  const id = await docker("create", `--label=${LABEL}=${process.pid}`, ...HARDENED, ...args);
  try {
    await docker("start", id);
    return id;
  } catch (error) {
    await removeContainers([id]);
    throw error;
  }
}

interface Containers {
  readonly owner: string;
  readonly containers: Map<MemberName, string>;
}

function groupOf(plan: GroupPlan, layout: Layout, { owner, containers }: Containers): Group {
  const id = (member: MemberName): string => {
    const container = containers.get(member);
    if (!container) throw new Error(`${member} was never started`);
    return container;
  };
  return {
    members: [...layout.flags.keys()],
    places: layout.places,
    user: layout.user,
    address: (name) => `127.0.0.1:${layout.places.port(name)}`,
    async kill(member, signal) {
      await docker("kill", `--signal=${signal}`, id(member));
    },
    async start(member) {
      const container = containers.get(member);
      if (container) await docker("start", container);
      else containers.set(member, await runContainer(await memberArguments(plan, layout, member, owner)));
    },
    async stop(member) {
      const begin = performance.now();
      await docker("kill", "--signal=TERM", id(member));
      return await end(id(member), begin);
    },
    ended: async (member) => await end(id(member), performance.now()),
    running: async (member) => (await inspect(id(member), "{{.State.Running}}")) === "true",
    log: async (member) => (containers.has(member) ? await containerLog(id(member)) : ""),
    health: async (member) => (await inspect(id(member), "{{.State.Health.Status}}")) as Health,
    async zombies() {
      const ours = await processNamespace(Number(await inspect(owner, "{{.State.Pid}}")));
      return await zombies(async ({ stat }) => (await processNamespace(stat.pid)) === ours);
    },
    async [Symbol.asyncDispose]() {
      await removeContainers([...containers.values(), owner]);
      await layout[Symbol.asyncDispose]();
    },
  };
}

async function memberArguments(
  plan: GroupPlan,
  { places, user, flags }: Layout,
  member: MemberName,
  owner: string,
): Promise<string[]> {
  const { directory } = places;
  const shared = plan.sharedProcesses === false ? [] : [`--pid=container:${owner}`];
  const probes = plan.healthInterval ? [`--health-interval=${plan.healthInterval}`, "--health-retries=1"] : [];
  const place = [`--network=container:${owner}`, ...shared, `--volume=${directory}:${directory}`];
  const program = plan.app && member === "app" ? await appImage(plan.app.program) : [`pillion/${member}`];
  return [...place, `--user=${user}:${user}`, ...probes, ...program, ...(flags.get(member) ?? [])];
}

async function inspect(container: string, format: string): Promise<string> {
  return await docker("inspect", `--format=${format}`, container);
}

async function end(container: string, begin: number): Promise<Ended> {
  const code = Number(await docker("wait", container));
  return { code, milliseconds: performance.now() - begin };
}
