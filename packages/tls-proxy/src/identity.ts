import type { Identity } from "@pillion/kit";

export const identity: Identity = {
  name: "tls-proxy",
  version: "0.1.0",
  description: "HTTPS in front of an app that only speaks plain HTTP.",
  adminListen: "127.0.0.1:9181",
};
