import { type PillionError, defineErrors } from "@pillion/kit";

/** What can go wrong with configuration on its way to the app. */
export const errors = defineErrors({
  SOURCE_MISSING: "The source directory isn't there, or holds no files.",
  SOURCE_UNREADABLE: "A file or directory of the source can't be read.",
  SOURCE_REFUSED: "The source holds what is never published: a link that leaves it, a device, too much.",
  SOURCE_UNSETTLED: "The source kept changing while it was read, or a link in it leads nowhere.",
  CONFIGURATION_INVALID: "A file is not well-formed; what was last good stays in force.",
  CONFIGURATION_QUARANTINED: "The app died of this configuration before; it is not tried again until it changes.",
  TARGET_NOT_WRITABLE: "The target directory can't be made or written to.",
  APP_ABSENT: "No process answers the query; the configuration is published and waits for the app.",
  APP_DIED: "The app died and there is no earlier configuration that it is known to live with.",
});

/**
 * @param longer names of running processes that begin as the one that is asked for
 * @param pid of this process: 1 is the first of a PID namespace of its own, pid_namespaces(7)
 */
export function appAbsent(query: string, longer: readonly string[], pid: number): PillionError {
  const reason = "not running; the configuration is published and waits for it";
  const names = `Running names that begin so: ${longer.join(", ")}. Give a whole name, or script=FILE or cmdline=EXPRESSION`;
  const alone =
    "Nobody else is to be seen from here: share the app's processes (--pid=container:APP, shareProcessNamespace)";
  const remedy = longer.length > 0 ? names : pid === 1 ? alone : undefined;
  return errors.APP_ABSENT({ subject: "app", value: query, reason, ...(remedy !== undefined && { remedy }) });
}
