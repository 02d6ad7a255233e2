import { run } from "@pillion/kit";
import { topz } from "./sidecar.ts";

await run(topz);
