import type { Identity } from "@pillion/kit";

export const identity: Identity = {
  name: "repo-updater",
  version: "0.1.0",
  description: "Keeps a directory at the newest commit of a git repository, published atomically.",
  adminListen: "127.0.0.1:9182",
};
