import { realpathSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";

/** Says how two directories overlap, links resolved; undefined when they don't. */
export function overlapOf(source: string, target: string): string | undefined {
  const [from, to] = [realPath(source), realPath(target)];
  if (from === to) return "the same directory as --target";
  if (isWithin(from, to)) return "lies inside --target, which would publish into what it reads";
  if (isWithin(to, from)) return "holds --target, which would read what it publishes";
  return undefined;
}

function isWithin(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}

/** Neither directory has to exist yet: what does exist of its path is resolved. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
