import type { Identity } from "@pillion/kit";

export const identity: Identity = {
  name: "config-sync",
  version: "0.1.0",
  description: "Configuration that is validated, published atomically, reloaded, and rolled back.",
  adminListen: "127.0.0.1:9183",
};
