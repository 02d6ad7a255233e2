import { extname } from "node:path";
import { errors } from "./errors.ts";
import type { Finding } from "./finding.ts";
import type { Files } from "./source.ts";
import { validateJson } from "./validate-json.ts";
import { validateXml } from "./validate-xml.ts";
import { validateYaml } from "./validate-yaml.ts";

/** Says what is wrong first, or nothing. */
type Validator = (bytes: Uint8Array) => Finding | undefined;

const validators: ReadonlyMap<string, Validator> = new Map([
  [".json", validateJson],
  [".yaml", validateYaml],
  [".yml", validateYaml],
  [".xml", validateXml],
]);

/** How many files a message names. */
const NAMED = 10;

/** Checks every file whose extension is known. @throws CONFIGURATION_INVALID that names file, line and column of each fault */
export function validate(files: Files): void {
  const faults = [...files].flatMap(([path, { bytes }]) => {
    const finding = validators.get(extname(path).toLowerCase())?.(bytes);
    return finding ? [`${path}:${finding.line}:${finding.column}: ${finding.reason}`] : [];
  });
  if (faults.length === 0) return;
  const more = faults.length > NAMED ? ` and ${faults.length - NAMED} more` : "";
  const reason = faults.toSorted().slice(0, NAMED).join(", ") + more;
  throw errors.CONFIGURATION_INVALID({
    subject: "files",
    reason,
    remedy: "Correct it in the source",
  });
}
