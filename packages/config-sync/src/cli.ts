import { run } from "@pillion/kit";
import { configSync } from "./sidecar.ts";

await run(configSync);
