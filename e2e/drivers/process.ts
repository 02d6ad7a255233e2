import { access } from "node:fs/promises";
import { join } from "node:path";
import { type Driver, type Group, type GroupPlan, type MemberName, sidecarNames } from "./driver.ts";
import { type Layout, layOut } from "./layout.ts";
import { type Script, startScript } from "./script.ts";
import { startInOrder } from "./starting.ts";
import { descendsFrom, zombies } from "./zombies.ts";

const repository = join(import.meta.dirname, "../..");

/** Plain processes on loopback: no engine, no root. */
export const driver: Driver = {
  name: "process",
  async unavailable() {
    const dist = sidecarNames.map((name) => access(join(repository, "packages", name, "dist/cli.js")));
    const built = await Promise.all(dist).catch(() => undefined);
    return built ? undefined : "the packages aren't built: npm run build";
  },
  async start(plan) {
    const layout = await layOut(plan, { host: "127.0.0.1", user: process.getuid?.() ?? 0 });
    return await startInOrder(plan, groupOf(plan, layout));
  },
};

function groupOf(plan: GroupPlan, layout: Layout): Group {
  const starts = new Map<MemberName, Script[]>();
  const startsOf = (member: MemberName) => starts.get(member) ?? [];
  const current = (member: MemberName): Script => {
    const last = startsOf(member).at(-1);
    if (!last) throw new Error(`${member} was never started`);
    return last;
  };
  const ended = async (member: MemberName) => {
    const begin = performance.now();
    return { code: await current(member).exited, milliseconds: performance.now() - begin };
  };
  return {
    members: [...layout.flags.keys()],
    places: layout.places,
    user: layout.user,
    address: (name) => `127.0.0.1:${layout.places.port(name)}`,
    kill: async (member, signal) => current(member).kill(signal),
    async start(member) {
      const flags = layout.flags.get(member) ?? [];
      starts.set(member, [
        ...startsOf(member),
        startScript(scriptOf(plan, member), flags, environment(layout, member)),
      ]);
    },
    async stop(member) {
      current(member).kill("SIGTERM");
      return await ended(member);
    },
    ended,
    running: async (member) => current(member).running(),
    log: async (member) =>
      startsOf(member)
        .map((script) => script.output())
        .join(""),
    async health(member) {
      const probe = startScript(scriptOf(plan, member), ["healthcheck"], environment(layout, member));
      return (await probe.exited) === 0 ? "healthy" : "unhealthy";
    },
    zombies() {
      const pids = [...starts.values()].flat().map(({ pid }) => pid);
      return zombies((process) => descendsFrom(pids, process));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...starts.values()].flat().map((script) => script[Symbol.asyncDispose]()));
      await layout[Symbol.asyncDispose]();
    },
  };
}

function scriptOf(plan: GroupPlan, member: MemberName): string {
  if (member !== "app") return join(repository, "packages", member, "bin", `${member}.js`);
  if (plan.app?.program !== "legacy-app") throw new Error(`${plan.app?.program} runs in containers only`);
  return join(repository, "examples/legacy-app/server.js");
}

/** The admin address is a variable, as the probe has to know it as well; in containers it is the default. */
function environment({ places }: Layout, member: MemberName): Record<string, string> {
  const prefix = member.toUpperCase().replaceAll("-", "_");
  return { [`${prefix}_ADMIN_LISTEN`]: `127.0.0.1:${places.port(`${member} admin`)}` };
}
