import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { procTree } from "../fixtures/tree.ts";
import { networkDevices } from "./network-devices.ts";

const DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   17430     212    0    0    0     0          0         0    17430     212    0    0    0     0       0          0
enp0s31f6: 914034012 1091 0    0    0     0          0         0  1189094    8021    0    0    0     0       0          0
  eth0.7:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
`;

test("names the devices, those without an address too", () => {
  using tree = procTree([]);
  mkdirSync(join(tree.root, "self/net"), { recursive: true });
  writeFileSync(join(tree.root, "self/net/dev"), DEV);
  expect(networkDevices(tree.root)).toEqual(["lo", "enp0s31f6", "eth0.7"]);
});

test("where there is no Linux /proc there is nothing to say", () => {
  using tree = procTree([]);
  expect(networkDevices(tree.root)).toBeUndefined();
});
