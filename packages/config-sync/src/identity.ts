import type { Identity } from "@pillion/kit";

export const identity: Identity = {
  name: "config-sync",
  version: "0.1.0",
  description: "Publishes configuration: validated, in one step, the app told, and taken back when the app dies of it.",
  adminListen: "127.0.0.1:9183",
};
