import { createServer } from "node:net";
import { once } from "node:events";
import { type Address, type Condition, type Context, listen } from "@pillion/kit";
import type { LineOutput } from "../access-log/access-output.ts";
import { Certificates } from "../certificates/certificates.ts";
import { TicketKeys } from "../certificates/ticket-keys.ts";
import { workerMetrics } from "../metrics.ts";
import { type Serving, appOf } from "../serve.ts";
import { observeApp } from "../serve-http.ts";
import { type OptionValues, plainValues } from "./plain-values.ts";
import { SharedConditions } from "./shared-conditions.ts";
import { type Told, assertStartable } from "./worker-process.ts";
import { WorkerSlot } from "./worker-slot.ts";

type PoolContext = Pick<Context, "stopping" | "signal" | "log" | "metrics" | "health" | "admin">;

/**
 * Serves with several processes. Each listens on the same port, and the system shares out connections; what is there once
 * stays in this process: health, log, metrics, the access log, and the keys of session tickets.
 *
 * @param access where lines of the access log go
 * @throws what one process that serves throws, WORKER_ENDED, WORKERS_NOT_STARTABLE
 */
export async function startWorkers(
  values: OptionValues,
  context: PoolContext,
  access: LineOutput | undefined,
): Promise<Serving> {
  assertStartable();
  await tryCertificates(values, context);
  const address = await freeAddress(values.listen);
  const pool = new WorkerPool({ values, address, context, access });
  await pool.started();
  return pool;
}

/** What is wrong with certificates is said once, and a development CA is made once. */
async function tryCertificates(values: OptionValues, { log }: PoolContext): Promise<void> {
  const quiet = { condition: () => ({ ok() {}, degraded() {}, failed() {} }) };
  const onlyWarnings = Object.assign(Object.create(log) as typeof log, { info() {} }); // the workers tell what is in force
  const certificates = await Certificates.open(values, {
    log: onlyWarnings,
    health: quiet,
    signal: AbortSignal.abort(),
    ticketKeys: new TicketKeys(),
  });
  await certificates.closed();
}

/** The address with its real port, for workers to share. Who already listens there is found here: they wouldn't see it. */
async function freeAddress(wanted: Address): Promise<Address> {
  const server = createServer((socket) => socket.resetAndDestroy());
  const address = await listen(server, wanted, "--listen");
  server.close();
  await once(server, "close");
  return address;
}

interface PoolOptions {
  readonly values: OptionValues;
  readonly address: Address;
  readonly context: PoolContext;
  readonly access: LineOutput | undefined;
}

class WorkerPool implements Serving {
  readonly address: Address;
  readonly observer: Serving["observer"];
  readonly failed: Promise<void>;
  readonly #options: PoolOptions;
  readonly #conditions: SharedConditions;
  readonly #slots: readonly WorkerSlot[];
  readonly #condition: Condition;
  /** How those ended that don't serve again yet. */
  readonly #dead = new Map<number, string>();
  readonly #ended = new AbortController();

  constructor(options: PoolOptions) {
    const { values, address, context } = options;
    this.#options = options;
    this.address = address;
    this.#conditions = new SharedConditions(context.health);
    this.#condition = context.health.condition("workers");
    const signal = AbortSignal.any([context.signal, this.#ended.signal]);
    const tickets = new TicketKeys().rotate(values.ticketRotation, signal);
    const deaths = workerMetrics(context.metrics, () => this.#slots.filter(({ serves }) => serves).length);
    if (values.mode === "http")
      this.observer = observeApp(appOf(values), { ...context, health: this.#conditions.of(0) });
    const plain = plainValues(values);
    this.#slots = Array.from({ length: values.workers }, (_, index) => {
      const number = index + 1;
      return new WorkerSlot({
        number,
        log: context.log,
        timeout: values.workerTimeout,
        signal,
        start: () => ({
          kind: "start",
          worker: number,
          values: { ...plain, maxConnections: share(values.maxConnections, values.workers, index) },
          address,
          ticketKeys: tickets.current,
        }),
        told: (message) => this.#hear(number, message),
        serving: () => {
          if (context.stopping.aborted) this.#slots[index]?.tell({ kind: "stopping" });
          this.#dead.delete(number);
          this.#report();
        },
        died: (how) => {
          deaths.died();
          this.#conditions.forget(number);
          this.#dead.set(number, how);
          this.#report();
        },
        anyServes: () => this.#slots.some(({ serves }) => serves),
      });
    });
    tickets.onReplace((keys) => this.#slots.forEach((slot) => slot.tell({ kind: "ticketKeys", keys })));
    context.stopping.addEventListener("abort", () => this.#slots.forEach((slot) => slot.tell({ kind: "stopping" })));
    context.admin.includeMetrics(async () => (await Promise.all(this.#slots.map((slot) => slot.metrics()))).flat());
    this.failed = this.#keep();
    this.failed.catch(() => {}); // may come before anybody looks
  }

  /** Resolves when all serve. @throws WORKER_ENDED */
  async started(): Promise<void> {
    try {
      await Promise.all(this.#slots.map(({ started }) => started));
    } catch (error) {
      this.#ended.abort();
      for (const slot of this.#slots) slot.kill();
      throw error;
    }
  }

  async reload(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.reload()));
  }

  async drain(deadline: AbortSignal): Promise<readonly string[]> {
    this.#ended.abort();
    return (await Promise.all(this.#slots.map((slot) => slot.drain(deadline)))).flat();
  }

  async #keep(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.keep()));
  }

  #report(): void {
    if (this.#dead.size === 0) return this.#condition.ok();
    const ends = [...this.#dead].map(([number, how]) => `worker ${number} ended with ${how}`).join(", ");
    if (this.#slots.some(({ serves }) => serves)) this.#condition.degraded(`${ends}; the others serve`);
    else this.#condition.failed(`${ends}; none serves`);
  }

  #hear(worker: number, message: Told): void {
    const { log } = this.#options.context;
    if (message.kind === "log") log[message.level]({ ...message.fields, worker }, message.text);
    else if (message.kind === "condition") this.#conditions.set(worker, message.name, message.state);
    else this.#options.access?.write(message.lines);
  }
}

/** Of what is shared out evenly to so many, what the one at `index` gets; the shares add up to all of it. */
function share(all: number, among: number, index: number): number {
  return Math.floor(all / among) + (index < all % among ? 1 : 0);
}
