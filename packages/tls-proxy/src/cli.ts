import { run } from "@pillion/kit";
import { tlsProxy } from "./sidecar.ts";

// http-proxy calls util._extend (DEP0060), which nobody who runs this can change.
process.noDeprecation ||= true;

await run(tlsProxy);
