import { resolve } from "node:path";
import type { OptionType } from "@pillion/kit";
import { redact } from "@pillion/kit";

/** What git's own transports are called; `ext::` and other helpers run commands (gitremote-helpers(7)). */
export const PROTOCOLS = ["file", "git", "http", "https", "ssh"] as const;

/** A repository as git takes it: a URL, `host:path` for ssh, or a path, which is made absolute. */
export const repositoryUrl: OptionType<string> = {
  placeholder: "URL",
  expects: "https://host/path, ssh://host/path, user@host:path, git://host/path, file:///path or a path",
  parse: parseRepositoryUrl,
  format: redact,
};

/** Throws a RangeError that says why a text is none. */
export function parseRepositoryUrl(text: string): string {
  if (text === "") throw new RangeError("empty");
  if (text.startsWith("-")) throw new RangeError("git would take a leading dash for an option");
  if (/\p{Cc}/u.test(text)) throw new RangeError("holds a control character");
  if (/^[^/]*?::/.test(text)) throw new RangeError("remote helpers such as ext:: run commands and are refused");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined) {
    if (!PROTOCOLS.some((known) => known === scheme))
      throw new RangeError(`${scheme}:// is not one of git's protocols`);
    if (isHttp(text) && !isSplittable(text))
      throw new RangeError("not a URL, or its credentials are not percent-encoded");
    return text;
  }
  // As git tells them apart (git-clone(1), "GIT URLS"): a colon before the first slash means ssh.
  return /^[^/]+:/.test(text) ? text : resolve(text);
}

/** The last part of a repository's URL without `.git`, as git-clone(1) would call the directory; empty when there is none. */
export function repositoryName(url: string): string {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, "").replace(/[?#].*$/, "");
  const whole = path.replace(/\/+$/, "").replace(/\/\.git$/, "");
  return (/[^/:]*$/.exec(whole)?.[0] ?? "").replace(/\.git$/, "");
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Takes the password out of an HTTP URL, so that it never stands on a command line. */
export function splitCredentials(url: string): { readonly url: string; readonly credentials?: Credentials } {
  if (!isHttp(url)) return { url };
  const parsed = new URL(url);
  if (parsed.username === "" && parsed.password === "") return { url };
  const [username, password] = [decodeURIComponent(parsed.username), decodeURIComponent(parsed.password)];
  parsed.username = "";
  parsed.password = "";
  return { url: parsed.href, credentials: { username, password } };
}

function isSplittable(url: string): boolean {
  try {
    splitCredentials(url);
    return true;
  } catch {
    return false;
  }
}

export function isHttp(url: string): boolean {
  return /^https?:\/\//i.test(url);
}
