export { type AnswerOptions, type AnswerRules, NO_RULES, answerRules } from "../answers/answer-rules.ts";
export type { Arrival } from "../front/arrivals.ts";
export type { ConnectionHandler } from "../front/connection-handler.ts";
export { UpstreamPool, type UpstreamPoolOptions } from "../upstream/upstream-pool.ts";
export { DEFAULT_LIMITS, type RelayLimits, type RelayObserver, type RelayOptions } from "./relay-options.ts";
export { type AppRelay, type RelayToOptions, relayTo } from "./relay-to.ts";
export { Relay } from "./relay.ts";
