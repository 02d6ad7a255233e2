import { run } from "@pillion/kit";
import { repoUpdater } from "./sidecar.ts";

await run(repoUpdater);
