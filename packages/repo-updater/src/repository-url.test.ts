import { expect, test } from "vitest";
import { parseRepositoryUrl, repositoryName, repositoryUrl, splitCredentials } from "./repository-url.ts";

test.for<[string, string]>([
  ["https://host/group/content.git", "content"],
  ["https://host/group/content/", "content"],
  ["https://user:secret@host:8443/content.git/", "content"],
  ["git@host:content.git", "content"],
  ["host:group/content", "content"],
  ["ssh://git@host:22/~user/content.git", "content"],
  ["git://host/content", "content"],
  ["file:///srv/content.git", "content"],
  ["/srv/content/.git", "content"],
  ["https://host/", ""],
  ["https://host", ""],
  ["/", ""],
])("%s is called %j", ([url, name]) => {
  expect(parseRepositoryUrl(url)).toBe(url);
  expect(repositoryName(url)).toBe(name);
});

test("a relative path is made absolute, as git works elsewhere", () => {
  expect(parseRepositoryUrl("./content")).toBe(`${process.cwd()}/content`);
  expect(parseRepositoryUrl("a/b:c")).toBe(`${process.cwd()}/a/b:c`);
});

test.for<[string, string]>([
  ["", "empty"],
  ["-oProxyCommand=x", "dash"],
  ["--upload-pack=x", "dash"],
  ["ext::sh -c date", "ext::"],
  ["fd::17", "remote helpers"],
  ["http::https://host/x", "remote helpers"],
  ["ftp://host/x", "ftp://"],
  ["https://host/a\nb", "control character"],
  ["https://", "not a URL"],
  ["https://a%:b@host/x", "percent-encoded"],
])("%j is refused", ([url, reason]) => {
  expect(() => parseRepositoryUrl(url)).toThrow(RangeError);
  expect(() => parseRepositoryUrl(url)).toThrow(reason);
});

test("credentials are taken out of an HTTP URL", () => {
  expect(splitCredentials("https://me:s%3Acret@host:8443/x.git")).toEqual({
    url: "https://host:8443/x.git",
    credentials: { username: "me", password: "s:cret" },
  });
  expect(splitCredentials("https://token@host/x")).toEqual({
    url: "https://host/x",
    credentials: { username: "token", password: "" },
  });
  expect(splitCredentials("ssh://git@host/x")).toEqual({ url: "ssh://git@host/x" });
  expect(splitCredentials("https://host/x")).toEqual({ url: "https://host/x" });
});

test("/config doesn't show them", () => {
  expect(repositoryUrl.format?.("https://me:secret@host/x")).not.toContain("secret");
});
