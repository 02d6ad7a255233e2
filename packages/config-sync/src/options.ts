import { defineOptions } from "@pillion/kit";

import { overlapOf } from "./overlap.ts";
import { notification, processSelector, source } from "./option-types.ts";

export const options = defineOptions(
  {
    source: { type: source, required: true, help: "Directory with the configuration that should be in force." },
    target: { type: "path", required: true, help: "Directory that the app reads; made when it isn't there." },
    notify: {
      type: notification,
      help: "How the app is told: signal:HUP or another signal. Without it, nothing is told.",
    },
    process: { type: processSelector, help: "Which process is told: name=NAME, cmdline=EXPRESSION or script=FILE." },
    settle: { type: "duration", default: "3s", help: "How long the app has to live after it was told." },
    quiet: {
      type: "duration",
      default: "100ms",
      max: 2000,
      help: "Time without a change before a batch of changes is published.",
    },
    resync: {
      type: "duration",
      default: "60s",
      min: 100,
      help: "Time between two looks at everything, events or not.",
    },
    keep: {
      type: "integer",
      default: "1",
      min: 1,
      max: 1000,
      help: "Old generations kept for readers that have them open.",
    },
    once: { type: "boolean", help: "Publish once and exit: 0 when the newest is in force, 1 when it isn't." },
  },
  ({ source: from, target, notify, process }, problem) => {
    const overlap = from?.directory !== undefined && target !== undefined && overlapOf(from.directory, target);
    if (overlap) problem("source", overlap, "Give two directories of which neither lies within the other");
    if (notify && !process) problem(["notify", "process"], "nobody to tell", "Say which process with --process");
    if (process && !notify)
      problem(["process", "notify"], "has no effect by itself", "Say how it is told with --notify");
  },
);
