import { type PillionError, defineErrors } from "./errors.ts";

/** Every refusal of the generation store. */
export const generationErrors = defineErrors({
  GENERATION_NAME_INVALID: "A generation's name doesn't fit the store.",
  GENERATION_NOT_FOUND: "The generation to publish isn't there.",
  GENERATION_IN_USE: "The generation that readers see can't be replaced or removed.",
  GENERATION_LINK_OCCUPIED: "A file or directory stands where the link has to be.",
  GENERATION_PLACE_OCCUPIED: "Something that was not made here has the name of a working file.",
  GENERATION_VISIBLE_NAME_FOREIGN: "A name to publish is taken by something that was not published from here.",
  GENERATION_PATH_UNSAFE: "A path would leave the tree or collide with a reserved name.",
});

export function nameInvalid(name: string, names: RegExp): PillionError {
  return generationErrors.GENERATION_NAME_INVALID({
    subject: "generation",
    value: name,
    reason: `the name has to match ${String(names)} and to be a single path part that isn't reserved`,
    remedy: "Choose such a name",
  });
}

export function notFound(path: string): PillionError {
  return generationErrors.GENERATION_NOT_FOUND({
    subject: "generation",
    value: path,
    reason: "there is no directory of that name to publish",
    remedy: "Make it first",
  });
}

export function inUse(path: string, link: string): PillionError {
  return generationErrors.GENERATION_IN_USE({
    subject: "generation",
    value: path,
    reason: `${link} leads to it, so it can't be replaced or removed`,
    remedy: "Publish another one first",
  });
}

export function linkOccupied(link: string, by: "directory" | "file"): PillionError {
  return generationErrors.GENERATION_LINK_OCCUPIED({
    subject: "link",
    value: link,
    reason: `a ${by} is in its place, and only links are replaced`,
    remedy: "Move it away, or choose another link",
  });
}

export function placeOccupied(path: string): PillionError {
  return generationErrors.GENERATION_PLACE_OCCUPIED({
    subject: "working place",
    value: path,
    reason: "something that was not made here has that name, and is left alone",
    remedy: "Move it away",
  });
}

export function visibleNamesForeign(paths: readonly string[]): PillionError {
  return generationErrors.GENERATION_VISIBLE_NAME_FOREIGN({
    subject: "published names",
    reason: `taken by what was not published from here, and is left alone: ${listed(paths)}`,
    remedy: "Move these away, or leave their names out of what is published",
  });
}

export function pathsUnsafe(problems: readonly string[]): PillionError {
  return generationErrors.GENERATION_PATH_UNSAFE({
    subject: "tree",
    reason: listed(problems),
    remedy: "Rename these files, or leave them out",
  });
}

/** A tree may hold ten thousand bad names; nobody reads more than the first few. */
function listed(items: readonly string[], most = 10): string {
  const rest = items.length - most;
  return items.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
