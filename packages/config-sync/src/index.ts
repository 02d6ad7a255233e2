export type { TreeLimits } from "./read-tree.ts";
export { directorySource } from "./directory-source.ts";
export { errors as configSyncErrors } from "./errors.ts";
export { configSync } from "./sidecar.ts";
export type { Files, Reading, Source, Watching } from "./source.ts";
