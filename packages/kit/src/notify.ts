import {
  type ProcessIdentity,
  type ProcessMatch,
  type ProcessQuery,
  catches,
  findProcesses,
  ignores,
  readStatus,
  stillRunning,
  topmost,
} from "@pillion/procfs";
import { systemCode } from "./errors.ts";
import { kitErrors } from "./kit-errors.ts";

export interface SignalRequest {
  readonly query: ProcessQuery;
  readonly signal: NodeJS.Signals;
  /** Where processes are looked for; signals only reach those of this process's own PID namespace. */
  readonly root?: string;
}

export type SignalOutcome =
  | { readonly outcome: "signalled"; readonly process: ProcessIdentity }
  /** No such process runs. */
  | { readonly outcome: "absent" };

/** Init processes stand above the app with its command line in theirs. Only one with pid 1 is left out. */
const INITS: readonly string[] = ["catatonit", "docker-init", "dumb-init", "pause", "tini"];

/**
 * Sends a signal to the one process that answers the query: of a master and its workers, the master. It is sent only
 * to a process that catches it, since most signals kill one that doesn't, and only when it is still the same process.
 *
 * @throws SIGNAL_AMBIGUOUS, SIGNAL_NOT_CAUGHT, SIGNAL_NOT_PERMITTED
 */
export async function signalProcess({ query, signal, root = "/proc" }: SignalRequest): Promise<SignalOutcome> {
  const process = await findProcess(query, root);
  if (!process) return { outcome: "absent" };
  const { identity } = process;
  const status = readStatus(identity.pid, root);
  const subject = `process ${identity.pid} (${process.name})`;
  if (status && catches(status, signal) === false) {
    const effect = ignores(status, signal) ? "it would do nothing" : "it could kill it";
    const remedy = `Name a process that handles ${signal}, or another signal`;
    throw kitErrors.SIGNAL_NOT_CAUGHT({ subject, reason: `it does not catch ${signal}, ${effect}`, remedy });
  }
  if (!stillRunning(identity, root)) return { outcome: "absent" };
  return send(identity, signal, subject, status?.uids?.real);
}

/**
 * The process that a query means, if it runs: of a master and its workers, the master.
 *
 * @throws SIGNAL_AMBIGUOUS
 */
export async function findProcess(query: ProcessQuery, root = "/proc"): Promise<ProcessMatch | undefined> {
  const found = await findProcesses(query, { root, self: process.pid });
  const matches = topmost(found.filter(({ identity, name }) => identity.pid !== 1 || !INITS.includes(name)));
  if (matches.length > 1) {
    const pids = matches.map(({ identity, name }) => `${identity.pid} (${name})`).join(", ");
    throw kitErrors.SIGNAL_AMBIGUOUS({
      subject: "processes",
      value: pids,
      reason: "more than one answers the query",
      remedy: "Say more in --process, such as cmdline=EXPRESSION",
    });
  }
  return matches[0];
}

/**
 * Names of running processes that only begin as the one that is asked for, none for other queries: Node 26 calls the
 * main thread of its processes node-MainThread.
 */
export async function longerNames(query: ProcessQuery, root = "/proc"): Promise<readonly string[]> {
  if (!("name" in query)) return [];
  const all = await findProcesses({ commandLine: /^/ }, { root, self: process.pid });
  const names = all.map(({ name }) => name).filter((name) => name.startsWith(query.name) && name !== query.name);
  return [...new Set(names)];
}

function send(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  subject: string,
  owner: number | undefined,
): SignalOutcome {
  try {
    process.kill(identity.pid, signal);
    return { outcome: "signalled", process: identity };
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ESRCH") return { outcome: "absent" };
    if (code !== "EPERM") throw cause;
    const reason = `uid ${process.getuid?.()} may not send it ${signal}${owner === undefined ? "" : `, it runs as uid ${owner}`}`;
    const remedy = "Run both as the same uid; a container that is given CAP_KILL has it only as uid 0";
    throw kitErrors.SIGNAL_NOT_PERMITTED({ subject, reason, remedy, cause });
  }
}
