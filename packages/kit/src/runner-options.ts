import type { Identity } from "./identity.ts";
import { logFormats, logLevels } from "./log.ts";
import type { Values } from "./options.ts";

const DAY = 86_400_000;

/** The options that every sidecar has from the runner. */
export function runnerTable({ adminListen }: Identity) {
  return {
    adminListen: {
      type: "address",
      default: adminListen,
      group: "Operation",
      help: "Where probes, metrics, /version and /config are served.",
    },
    healthListen: {
      type: "address",
      group: "Operation",
      help: "A second address with only probes and metrics, for a kubelet or Prometheus that can't reach loopback.",
    },
    logLevel: {
      type: "choice",
      choices: logLevels,
      default: "info",
      group: "Operation",
      help: "The least important lines to log.",
    },
    logFormat: {
      type: "choice",
      choices: logFormats,
      default: "auto",
      group: "Operation",
      help: "JSON lines, or text for people; auto is text on a terminal.",
    },
    shutdownTimeout: {
      type: "duration",
      default: "8s",
      max: DAY,
      group: "Operation",
      help: "How long work under way may take to end after SIGTERM.",
    },
    drainDelay: {
      type: "duration",
      default: "0",
      max: DAY,
      group: "Operation",
      help: "How long to go on serving after SIGTERM while already not ready.",
    },
  } as const;
}

export type RunnerValues = Values<ReturnType<typeof runnerTable>>;
