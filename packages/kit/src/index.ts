export { type Address, formatAddress, isAddress, isLoopback, parseAddress, reachable } from "./address.ts";
export { type BackoffOptions, backoff } from "./backoff.ts";
export {
  type ErrorMaker,
  type Fault,
  PillionError,
  UsageError,
  defineErrors,
  describeFault,
  messageOf,
  systemCode,
} from "./errors.ts";
export { makeDirectory } from "./durable.ts";
export { type Garbage, garbageCollector } from "./garbage.ts";
export { generationErrors } from "./generation-errors.ts";
export type { LinkState } from "./generation-link.ts";
export { type Generation, Generations, type GenerationsOptions } from "./generations.ts";
export type { Condition, Health, HealthStatus } from "./health.ts";
export { helpText, markdownTable } from "./help.ts";
export { type Host, processHost } from "./host.ts";
export type { Identity } from "./identity.ts";
export { kitErrors } from "./kit-errors.ts";
export { listen, listenHttp } from "./listen.ts";
export type { Logger } from "./log.ts";
export { type MetricSnapshot, type ProcessMetrics, metricsOfProcess, whatLasts } from "./metric-snapshots.ts";
export type { Metrics } from "./metrics.ts";
export type { OptionType } from "./option-type.ts";
export { type SignalOutcome, type SignalRequest, findProcess, longerNames, signalProcess } from "./notify.ts";
export { type Input, type Option, type OptionTable, type Options, type Values, defineOptions } from "./options.ts";
export { createFileOnce, replaceFile } from "./state-file.ts";
export { type TreeFile, writeTree } from "./tree.ts";
export { redact } from "./redact.ts";
export { type Loop, type RepeatOptions, repeat } from "./repeat.ts";
export { type Handler, type RouteMatch, Routes, send, sendJson, sendText } from "./routes.ts";
export { run } from "./run.ts";
export { runnerTable } from "./runner-options.ts";
export { Secret } from "./secret.ts";
export { releaseStartupMemory } from "./startup-memory.ts";
export { type Context, type Factory, type Running, type Sidecar, defineSidecar } from "./sidecar.ts";
