import { UsageError } from "@pillion/kit";
import { expect, test } from "vitest";
import { linkPath } from "./options.ts";
import { repoUpdater } from "./sidecar.ts";

const enough = { repo: "https://host/content.git", root: "/srv/git" };

function problems(input: Record<string, unknown>): string {
  try {
    repoUpdater({ ...enough, ...input });
    return "";
  } catch (error) {
    if (error instanceof UsageError) return error.problems.join("\n");
    throw error;
  }
}

test("a repository and a root are enough", () => {
  expect(problems({})).toBe("");
  expect(repoUpdater(enough).config).toMatchObject({
    ref: "HEAD",
    depth: 1,
    period: "10000ms",
    syncTimeout: "120000ms",
    link: null,
  });
});

test("the link is called after the repository, in the root", () => {
  expect(linkPath({ ...enough, link: undefined })).toBe("/srv/git/content");
  expect(linkPath({ ...enough, link: "a/b" })).toBe("/srv/git/a/b");
  expect(linkPath({ ...enough, link: "/www/current" })).toBe("/www/current");
});

test.for([
  [{ link: "." }, "in the place of the root"],
  [{ link: "/srv" }, "in the place of the root"],
  [{ link: "/" }, "in the place of the root"],
  [{ link: ".git" }, "/srv/git/.git is used"],
  [{ link: ".git/x" }, "/srv/git/.git is used"],
  [{ link: ".worktrees/x" }, "/srv/git/.worktrees is used"],
  [{ repo: "https://host/" }, "no last part"],
  [{ username: "me" }, "has no password"],
  [{ password: "x" }, "has no user name"],
  [{ username: "a:b", password: "x" }, "colon"],
  [{ repo: "git@host:x", username: "me", password: "x" }, "http:// and https:// only"],
  [{ repo: "https://a:b@host/x", username: "me", password: "x" }, "holds credentials as well"],
  [{ period: "1ms" }, "period"],
  [{ depth: -1 }, "depth"],
] as const)("%j is a problem", ([input, reason]) => {
  expect(problems(input)).toContain(reason);
});

test("a link beside what the root holds, or with a similar name, is none", () => {
  for (const link of ["..data", ".gitx", "worktrees", "/srv/other", "../beside", ".worktrees.d"])
    expect(problems({ link }), link).toBe("");
});
