import type { Identity } from "@pillion/kit";

export const identity: Identity = {
  name: "topz",
  version: "0.1.0",
  description: "Process and resource monitor that reads /proc and shows it over HTTP.",
  adminListen: "127.0.0.1:9180",
};
