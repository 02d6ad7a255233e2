import type { OptionType } from "@pillion/kit";

/** What to follow: HEAD, a branch, a tag, a full ref name or a full commit hash. */
export const refName: OptionType<string> = {
  placeholder: "REF",
  expects: "HEAD, a branch, a tag, refs/… or a full commit hash",
  parse: parseRef,
};

/** git-check-ref-format(1), rules 1 to 10; a leading dash is refused because git would take it for an option. */
function parseRef(text: string): string {
  if (text === "") throw new RangeError("empty");
  if (text.startsWith("-")) throw new RangeError("git would take a leading dash for an option");
  const badCharacter = /[\p{Cc} ~^:?*[\\]/u.exec(text);
  if (badCharacter) throw new RangeError(`${JSON.stringify(badCharacter[0])} can't be in a ref's name`);
  const badPart = text.split("/").some((part) => part === "" || part.startsWith(".") || part.endsWith(".lock"));
  if (badPart || text.includes("..") || text.includes("@{") || text.endsWith(".") || text === "@") {
    throw new RangeError("not a ref's name as git-check-ref-format has it");
  }
  return text;
}

export function isFullHash(ref: string): boolean {
  return /^[0-9a-f]{40}$/i.test(ref);
}

/** The names that a ref may mean on the server, in the order in which they count: a branch comes before a tag. */
export function candidates(ref: string): readonly string[] {
  if (ref === "HEAD" || ref.startsWith("refs/")) return [ref];
  return [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`];
}

/** What the server calls a commit that was asked for, and the commit's hash. */
export interface Target {
  readonly name: string;
  readonly hash: string;
}

/**
 * Chooses from what `git ls-remote` prints: a line each of hash, tab, name. An annotated tag has a second line, `^{}`,
 * with the commit that it leads to. Undefined when none of the names is there.
 */
export function chooseTarget(ref: string, listing: string): Target | undefined {
  const hashes = new Map<string, string>();
  for (const line of listing.split("\n")) {
    const [hash, name] = line.split("\t");
    if (hash && name && /^[0-9a-f]{40,64}$/.test(hash)) hashes.set(name, hash);
  }
  for (const name of candidates(ref)) {
    const hash = hashes.get(`${name}^{}`) ?? hashes.get(name);
    if (hash !== undefined) return { name, hash };
  }
  return undefined;
}
