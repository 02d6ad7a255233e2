import { setTimeout } from "node:timers/promises";
import type { Group, GroupPlan, SidecarName } from "./driver.ts";

const PATIENCE = 60_000;
const BETWEEN_TWO_LOOKS = 50;

/**
 * Starts the members in order: the sidecars, and the app when all of them have started, as it would behind a pod's native
 * sidecars. On failure the group is disposed of and the error has every member's log.
 */
export async function startInOrder(plan: GroupPlan, group: Group): Promise<Group> {
  try {
    const sidecars = group.members.filter((member): member is SidecarName => member !== "app");
    const starts = await Promise.allSettled(sidecars.map((sidecar) => group.start(sidecar)));
    for (const start of starts) if (start.status === "rejected") throw start.reason;
    if (!plan.app) return group;
    await Promise.all(sidecars.map((sidecar) => hasStarted(group, sidecar)));
    await group.start("app");
    return group;
  } catch (cause) {
    const logs = await describeLogs(group);
    await group[Symbol.asyncDispose]();
    throw new Error(`the group didn't start: ${cause instanceof Error ? cause.message : String(cause)}\n${logs}`, {
      cause,
    });
  }
}

/** What every member wrote, for a person who wonders. */
export async function describeLogs(group: Group): Promise<string> {
  const texts = group.members.map(async (member) => `--- ${member}\n${await group.log(member)}`);
  return (await Promise.all(texts)).join("\n");
}

async function hasStarted(group: Group, sidecar: SidecarName): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  const url = `http://${group.address(sidecar)}/startupz`;
  while (performance.now() < deadline) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    if (!(await group.running(sidecar))) throw new Error(`${sidecar} has ended`);
    await setTimeout(BETWEEN_TWO_LOOKS);
  }
  throw new Error(`${sidecar} hasn't started within ${PATIENCE / 1000} s`);
}
