import { pathsUnsafe } from "./generation-errors.ts";

/**
 * Throws one error that names every path which could leave the tree or collide with the store's own names.
 * A path is relative, with `/` between its parts. Names that start with `..` are reserved at the top level, where
 * the link and the generations stand among the published names; Kubernetes reserves the same ones in its volumes.
 */
export function refuseUnsafePaths(paths: Iterable<string>): void {
  const all = new Set(paths);
  const problems = [...all].flatMap((path) => {
    const problem = pathProblem(path) ?? parentProblem(path, all);
    return problem === undefined ? [] : [`${JSON.stringify(path)} ${problem}`];
  });
  if (problems.length > 0) throw pathsUnsafe(problems);
}

/** Why a path is not safe by itself, or undefined. */
export function pathProblem(path: string): string | undefined {
  if (path === "") return "is empty";
  if (path.startsWith("/")) return "is absolute";
  if (path.includes("\0")) return "holds a NUL byte";
  // A lone surrogate becomes U+FFFD on the way to the file system, so two names would meet in one file.
  if (!path.isWellFormed()) return "is not valid Unicode";
  const parts = path.split("/");
  if (parts.includes("..")) return 'has a ".." part';
  if (parts.includes(".") || parts.includes("")) return 'has an empty or "." part';
  if (path.startsWith("..")) return 'starts with "..", which is reserved';
  return undefined;
}

/** The directories above a path, from the top: `a/b/c` gives `a`, `a/b`. */
export function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

function parentProblem(path: string, all: ReadonlySet<string>): string | undefined {
  const file = parentsOf(path).find((parent) => all.has(parent));
  return file === undefined ? undefined : `needs a directory where ${JSON.stringify(file)} is a file`;
}
