import { formatAddress } from "./address.ts";
import { Admin } from "./admin.ts";
import { PillionError, messageOf, systemCode } from "./errors.ts";
import { HealthRecord } from "./health.ts";
import { kitErrors } from "./kit-errors.ts";
import type { Logger } from "./log.ts";
import { metricsOf } from "./metrics.ts";
import { addProcessMetrics } from "./process-metrics.ts";
import type { RunnerValues } from "./runner-options.ts";
import type { Context, Running, Sidecar } from "./sidecar.ts";

export interface ProgramOptions {
  readonly sidecars: readonly Sidecar[];
  readonly settings: Omit<RunnerValues, "logLevel" | "logFormat">;
  readonly log: Logger;
  readonly env: Context["env"];
}

interface StopOptions {
  /** Whether to wait for the drain delay: load balancers notice that it isn't ready meanwhile. */
  readonly delay: boolean;
  /** Why it is stopped, unless it was asked to. */
  readonly failures?: readonly unknown[];
}

interface Member {
  readonly sidecar: Sidecar;
  readonly log: Logger;
  readonly health: HealthRecord;
  running?: Running;
}

/** How long after the deadline a sidecar may take to say what it cut off, milliseconds. */
const LAST_WORDS = 500;

/** One or several sidecars as one program: started together, probed together, taken down together. */
export class Program {
  readonly #options: ProgramOptions;
  readonly #members: readonly Member[];
  readonly #admin: Admin;
  readonly #stopping = new AbortController();
  readonly #draining = new AbortController();
  readonly #addresses: Record<string, string> = {};

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.#members = options.sidecars.map((sidecar) => {
      const log = options.log.child({ sidecar: sidecar.identity.name });
      return { sidecar, log, health: new HealthRecord(log) };
    });
    const subjects = this.#members.map(({ sidecar: { identity, config }, health }) => ({
      name: identity.name,
      version: identity.version,
      config,
      status: () => health.status(),
    }));
    this.#admin = new Admin(subjects, (error) =>
      options.log.error({ error: messageOf(error) }, "an admin endpoint failed"),
    );
    addProcessMetrics(this.#admin.registry);
    for (const member of this.#members) addStateMetrics(member, this.#admin);
  }

  /** Where it listens, by name: `admin`, and what the sidecars named. */
  get addresses(): Readonly<Record<string, string>> {
    return this.#addresses;
  }

  /** Probes answer first, so that a slow start is seen as one. Rejects with the first sidecar that can't start. */
  async start(): Promise<void> {
    const { settings, log } = this.#options;
    const admin = await this.#admin.listen(settings.adminListen, "--admin-listen", "full");
    this.#addresses["admin"] = formatAddress(admin);
    if (settings.healthListen) {
      const health = await this.#admin.listen(settings.healthListen, "--health-listen", "probes");
      this.#addresses["health"] = formatAddress(health);
    }
    for (const member of this.#members) {
      member.running = await member.sidecar.start(this.#contextOf(member));
      Object.assign(this.#addresses, member.running.addresses);
      void member.running.failed?.catch(() => {}); // finished() tells of it, once all have started
    }
    if (this.#admin.phase === "starting") this.#admin.phase = "running";
    log.info(this.#addresses, "started");
  }

  /** Settles when the work of all sidecars that have an end is over; rejects with the first that failed. */
  async finished(): Promise<void> {
    const never = new Promise<never>(() => {});
    const ends = this.#members.flatMap(({ running }) => running?.done ?? []);
    const failures = this.#members.flatMap(({ running }) => running?.failed?.then(() => never) ?? []);
    await Promise.race([ends.length === 0 ? never : Promise.all(ends), ...failures]);
  }

  async reload(): Promise<void> {
    for (const { running, log } of this.#members) {
      if (!running?.reload) {
        log.info("nothing to reload");
        continue;
      }
      try {
        await running.reload();
      } catch (error) {
        log.error(messageOf(error));
      }
    }
  }

  /**
   * Not ready at once, which sidecars are told; after the drain delay the sidecars stop, all within one deadline; probes answer to the end. The
   * last line of the log says what failed, if anything did, with the code of the first that has one.
   *
   * @returns whether nothing failed, and everything ended by itself
   */
  async stop({ delay, failures = [] }: StopOptions): Promise<boolean> {
    const { settings, log } = this.#options;
    this.#admin.phase = "draining";
    this.#stopping.abort();
    if (delay && settings.drainDelay > 0) await new Promise((resolve) => setTimeout(resolve, settings.drainDelay));
    this.#draining.abort();
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), settings.shutdownTimeout);
    const ends = await Promise.all(this.#members.map((member) => stopOne(member, deadline.signal)));
    ends.push(await stopOne({ running: { stop: (signal) => this.#admin.close(signal) }, log }, deadline.signal));
    clearTimeout(timer);
    const errors = [...failures, ...ends.flat()];
    const { code } = errors.find((error) => error instanceof PillionError) ?? {};
    if (errors.length === 0) log.info("stopped");
    else log.error({ code }, `stopped: ${errors.map(messageOf).join("; ")}`);
    return errors.length === 0;
  }

  #contextOf({ sidecar, log, health }: Member): Context {
    const { name } = sidecar.identity;
    return {
      stopping: this.#stopping.signal,
      signal: this.#draining.signal,
      log,
      metrics: metricsOf(this.#admin.registry, name),
      health,
      admin: {
        addresses: this.#admin.addresses,
        route: (route, handler) => this.#admin.route(name, route, handler),
        includeMetrics: (ask) => this.#admin.includeMetrics(ask),
      },
      env: this.#options.env,
    };
  }
}

function addStateMetrics({ sidecar, health }: Member, admin: Admin): void {
  const metrics = metricsOf(admin.registry, sidecar.identity.name);
  metrics.gauge("ready", "1 while /readyz says ready or degraded.", [], (gauge) =>
    gauge.set(Number(admin.phase === "running" && health.status().ready)),
  );
  metrics.gauge("degraded", "1 while something is wrong and the last good state is in force.", [], (gauge) =>
    gauge.set(Number(health.status().degraded)),
  );
  metrics
    .gauge("build_info", "Always 1; the version is a label.", ["version"])
    .set({ version: sidecar.identity.version }, 1);
}

/** A sidecar that doesn't come to an end soon after the deadline is left behind. Resolves with what went wrong, if anything. */
async function stopOne({ running, log }: Pick<Member, "running" | "log">, deadline: AbortSignal): Promise<unknown[]> {
  if (!running) return [];
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener("abort", () => {
      const fault = {
        subject: "shutdown",
        reason: "the time-out ended with work under way",
        remedy: "Raise --shutdown-timeout",
      };
      timer = setTimeout(() => reject(kitErrors.CUT_OFF(fault)), LAST_WORDS);
    });
  });
  try {
    await Promise.race([running.stop(deadline), overdue]);
    return [];
  } catch (error) {
    log.error({ code: systemCode(error) }, messageOf(error));
    return [error];
  } finally {
    clearTimeout(timer);
  }
}
