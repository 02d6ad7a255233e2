import { defineErrors } from "@pillion/kit";

/** Everything this package throws. */
export const errors = defineErrors({
  REPOSITORY_NOT_FOUND: "There is no repository at the URL, or this user doesn't get to see it.",
  REPOSITORY_ACCESS_DENIED: "The server wants a user name and password or a key, or refuses the given ones.",
  REPOSITORY_UNREACHABLE: "The server can't be reached, or doesn't answer as a git server.",
  REPOSITORY_UNTRUSTED: "The server's certificate or host key isn't trusted, or the repository has another owner.",
  REPOSITORY_DAMAGED: "The local copy of the repository is damaged, and making it again didn't help.",
  REF_NOT_FOUND: "The repository has no such branch, tag or commit.",
  GIT_NOT_FOUND: "There is no git program.",
  GIT_FAILED: "A git command failed for a reason that isn't one of the known ones.",
  ROOT_UNUSABLE: "The root directory can't be made, written to, or is full.",
  ROOT_IN_USE: "Another repo-updater works in the root directory.",
  ROOT_FOREIGN: "The root directory holds a git repository that repo-updater didn't make.",
  LINK_OCCUPIED: "A file or directory stands where the link has to be.",
  SYNC_TIMEOUT: "A round took longer than the sync time-out.",
});
