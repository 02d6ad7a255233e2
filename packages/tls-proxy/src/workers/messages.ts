import type { Address, MetricSnapshot } from "@pillion/kit";
import type { PlainValues } from "./plain-values.ts";

/** What a worker is told. */
export type ToWorker =
  | {
      readonly kind: "start";
      /** Its number, from 1. */
      readonly worker: number;
      readonly values: PlainValues;
      /** Where to listen, with the real port. */
      readonly address: Address;
      readonly ticketKeys: Uint8Array;
    }
  | { readonly kind: "ticketKeys"; readonly keys: Uint8Array }
  | { readonly kind: "reload" | "metrics"; readonly id: number }
  /** To be answered at once: does its event loop turn? */
  | { readonly kind: "pulse" }
  /** It will have to drain, and serves on until then. */
  | { readonly kind: "stopping" }
  | { readonly kind: "drain" }
  /** The time to drain is over. */
  | { readonly kind: "deadline" };

/** What a worker tells. */
export type ToPrimary =
  | { readonly kind: "serving" }
  | { readonly kind: "pulse" }
  | { readonly kind: "log"; readonly level: Level; readonly fields: Record<string, unknown>; readonly text: string }
  | { readonly kind: "condition"; readonly name: string; readonly state: ConditionState }
  /** Whole lines of the access log. */
  | { readonly kind: "access"; readonly lines: string }
  | { readonly kind: "answer"; readonly id: number; readonly snapshot?: MetricSnapshot }
  | { readonly kind: "drained"; readonly cutOff: readonly string[] };

export type Level = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

export interface ConditionState {
  readonly level: "ok" | "degraded" | "failed";
  readonly reason: string;
}
