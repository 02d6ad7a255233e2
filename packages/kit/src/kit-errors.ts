import { defineErrors } from "./errors.ts";

/** What can go wrong in the kit itself, whatever the sidecar. */
export const kitErrors = defineErrors({
  LISTEN_FAILED: "A server can't listen on its address: in use, not permitted or not of this machine.",
  CUT_OFF: "Work was still under way when the shutdown time-out ended, and was cut off.",
  SIGNAL_AMBIGUOUS: "More than one process answers the query, so none is signalled.",
  SIGNAL_NOT_CAUGHT: "The process does not handle the signal, which would do nothing or kill it, so it is not sent.",
  SIGNAL_NOT_PERMITTED: "The sidecar may not signal the process: another uid, and no CAP_KILL.",
});
