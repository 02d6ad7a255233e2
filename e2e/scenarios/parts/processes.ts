import type { Group } from "../../drivers/driver.ts";
import { ask } from "./ask.ts";

/** What topz says of a process. */
export interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly commandLine: string;
}

/** The processes that the topz of a group shows on its page's address; none while it doesn't answer. */
export async function processes(group: Group): Promise<readonly Row[]> {
  const url = `http://${group.address("page")}/api/v1/processes?limit=10000`;
  const answer = await ask(url).catch(() => undefined);
  if (answer?.status !== 200) return [];
  return (JSON.parse(answer.text) as { readonly processes: readonly Row[] }).processes;
}
