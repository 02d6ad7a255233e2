import type { ToPrimary, ToWorker } from "./messages.ts";
import { describeCrash, workerProgram } from "./worker-program.ts";

// The program of a worker, which worker-process.ts starts.

// http-proxy calls util._extend (DEP0060), which nobody who runs this can change.
process.noDeprecation ||= true;

// A terminal's Ctrl-C reaches the whole group; what a signal means is for the primary to say. Of SIGUSR1 see kit's host.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => {});

// Where the primary is gone, whatever the reason, nobody looks after this one.
process.on("disconnect", () => process.exit(1));
if (!process.connected) process.exit(1);

const send = (message: ToPrimary, sent?: () => void) =>
  void process.send?.(message, undefined, undefined, () => sent?.());
const crash = (error: unknown) => send(describeCrash(error), () => process.exit(1));
process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);

const hear = workerProgram(send);
process.on("message", (message) => void hear(message as ToWorker));
