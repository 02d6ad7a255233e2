export type { ProcessReading, ProcessRow, ProcessSource, Snapshot } from "./process-table.ts";
export { linuxSource } from "./linux-source.ts";
export { portableSource } from "./portable-source.ts";
export { Sampler } from "./sampler.ts";
export { topz } from "./sidecar.ts";
