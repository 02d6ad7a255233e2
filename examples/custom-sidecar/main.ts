import { run } from "@pillion/kit";
import { heartbeat } from "./heartbeat.ts";

await run(heartbeat);
