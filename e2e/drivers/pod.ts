import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import type { Driver, Ended, Group, MemberName } from "./driver.ts";
import { appImage, THIRD_PARTY } from "./images.ts";
import { type Layout, layOut } from "./layout.ts";
import { podOf } from "./pod-manifest.ts";
import { type Podman, NETWORK, podmanIn } from "./podman.ts";
import { startInOrder } from "./starting.ts";
import { processNamespace, zombies } from "./zombies.ts";

/** A pod that `podman kube play` makes of a Kubernetes manifest. */
export const driver: Driver = {
  name: "pod",
  async unavailable() {
    const store = inject("podStore");
    return "reason" in store ? store.reason : undefined;
  },
  async start(plan) {
    const { podman, directory } = openPodman();
    if (plan.app && plan.app.program !== "legacy-app") {
      await appImage(plan.app.program);
      await podman.load(THIRD_PARTY);
    }
    const layout = await layOut(plan, { host: "", user: plan.user ?? 65_532 });
    const name = `e2e-${randomUUID()}`;
    const group = groupOf(name, layout, podman);
    try {
      const manifest = join(directory, `${name}.json`);
      await writeFile(manifest, JSON.stringify(podOf(name, plan, layout)));
      await podman.run("kube", "play", "--start=false", `--network=${NETWORK}`, manifest);
    } catch (error) {
      await group[Symbol.asyncDispose]();
      throw error;
    }
    return await startInOrder(plan, group);
  },
};

/** The podman of this run. */
export function openPodman(): { readonly podman: Podman; readonly directory: string } {
  const store = inject("podStore");
  if ("reason" in store) throw new Error(store.reason);
  return { podman: podmanIn(store.directory), directory: store.directory };
}

function groupOf(name: string, layout: Layout, podman: Podman): Group {
  const id = (member: MemberName) => `${name}-${member}`;
  const inspect = (container: string, format: string) => podman.run("inspect", `--format=${format}`, container);
  const end = async (member: MemberName, begin: number): Promise<Ended> => {
    const code = Number(await podman.run("wait", "--interval=20ms", id(member)));
    return { code, milliseconds: performance.now() - begin };
  };
  return {
    members: [...layout.flags.keys()],
    places: layout.places,
    user: layout.user,
    address: (port) => `127.0.0.1:${layout.places.port(port)}`,
    async kill(member, signal) {
      await podman.run("kill", `--signal=${signal}`, id(member));
    },
    async start(member) {
      await podman.run("start", id(member));
    },
    async stop(member) {
      const begin = performance.now();
      await podman.run("kill", "--signal=TERM", id(member));
      return await end(member, begin);
    },
    ended: (member) => end(member, performance.now()),
    running: async (member) => (await inspect(id(member), "{{.State.Running}}")) === "true",
    log: (member) => podman.log(id(member)),
    // podman wants systemd for running a HEALTHCHECK
    health: (member) =>
      podman.run("exec", id(member), "/healthcheck").then(
        () => "healthy",
        () => "unhealthy",
      ),
    async zombies() {
      const infra = await podman.run("pod", "inspect", "--format={{.InfraContainerID}}", name);
      const ours = await processNamespace(Number(await inspect(infra, "{{.State.Pid}}")));
      return await zombies(async ({ stat }) => (await processNamespace(stat.pid)) === ours);
    },
    [Symbol.asyncDispose]: () => remove(name, layout, podman),
  };
}

async function remove(name: string, layout: Layout, podman: Podman): Promise<void> {
  await podman.run("pod", "rm", "--force", "--time=0", "--ignore", name);
  await podman.run("volume", "rm", "--force", `${name}-tmp`).catch(() => {});
  await layout[Symbol.asyncDispose]();
}
