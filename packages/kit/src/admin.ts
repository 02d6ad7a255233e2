import { Registry } from "prom-client";
import type { Address } from "./address.ts";
import type { HealthStatus } from "./health.ts";
import { type Handler, Routes, send, sendJson, sendText } from "./routes.ts";
import { listenHttp } from "./listen.ts";
import { type MetricSnapshot, summed } from "./metric-snapshots.ts";

/** What the admin endpoints tell about, by sidecar. */
export interface AdminSubject {
  readonly name: string;
  readonly version: string;
  readonly config: Readonly<Record<string, unknown>>;
  status(): HealthStatus;
}

/** Serves `/livez /readyz /startupz /metrics /version /config`, and what sidecars add. */
export class Admin {
  readonly registry = new Registry();
  readonly #subjects: readonly AdminSubject[];
  readonly #full: Routes;
  readonly #probes: Routes;
  readonly #others: (() => Promise<readonly MetricSnapshot[]>)[] = [];
  readonly #addresses: Address[] = [];
  readonly #closers: ((deadline: AbortSignal) => Promise<void>)[] = [];
  /** Overrides every status while the program starts or ends. */
  phase: "starting" | "running" | "draining" = "starting";

  constructor(subjects: readonly AdminSubject[], onError: (error: unknown) => void) {
    this.#subjects = subjects;
    this.#full = new Routes(onError);
    this.#probes = new Routes(onError);
    for (const routes of [this.#full, this.#probes]) {
      routes.add("GET /livez", (_request, response) => sendText(response, 200, "ok\n"));
      routes.add("GET /readyz", (_request, response) => this.#answer(response, (status) => status.ready));
      routes.add("GET /startupz", (_request, response) => this.#answer(response, (status) => status.started));
      routes.add("GET /metrics", async (_request, response) =>
        send(response, 200, this.registry.contentType, await this.#metrics()),
      );
    }
    this.#full.add("GET /version", (_request, response) =>
      sendJson(
        response,
        200,
        this.#bySidecar(({ version }) => version),
      ),
    );
    this.#full.add("GET /config", (_request, response) =>
      sendJson(
        response,
        200,
        this.#bySidecar(({ config }) => config),
      ),
    );
  }

  /** Where it listens. */
  get addresses(): readonly Address[] {
    return this.#addresses;
  }

  /** Adds an endpoint of a sidecar; of several sidecars each has its own branch. */
  route(sidecar: string, route: string, handler: Handler): void {
    this.#full.add(this.#subjects.length === 1 ? route : route.replace(" /", ` /${sidecar}/`), handler);
  }

  /** Metrics of further processes, which are summed up with those of this one. */
  includeMetrics(ask: () => Promise<readonly MetricSnapshot[]>): void {
    this.#others.push(ask);
  }

  /** @param scope `probes` leaves out what only the machine itself should see */
  async listen(address: Address, option: string, scope: "full" | "probes"): Promise<Address> {
    const server = await listenHttp(scope === "full" ? this.#full : this.#probes, address, option);
    this.#closers.push((deadline) => server.close(deadline));
    this.#addresses.push(server.address);
    return server.address;
  }

  async close(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.#closers.splice(0).map((close) => close(deadline)));
  }

  async #metrics(): Promise<string> {
    if (this.#others.length === 0) return await this.registry.metrics();
    const others = await Promise.all(this.#others.map((ask) => ask()));
    return await summed([await this.registry.getMetricsAsJSON(), ...others.flat()]).metrics();
  }

  #answer(response: Parameters<Handler>[1], good: (status: HealthStatus) => boolean): void {
    const statuses = this.#subjects.map((subject) => ({ name: subject.name, ...subject.status() }));
    const override = this.phase === "running" ? undefined : this.phase;
    const fine = !override && statuses.every(good);
    const lines = statuses.map(({ name, ready, text }) => {
      const said = override && ready ? override : text;
      return statuses.length === 1 ? said : `${name}: ${said}`;
    });
    sendText(response, fine ? 200 : 503, `${(override === "draining" ? [override] : lines).join("\n")}\n`);
  }

  #bySidecar(tell: (subject: AdminSubject) => unknown): Record<string, unknown> {
    return Object.fromEntries(this.#subjects.map((subject) => [subject.name, tell(subject)]));
  }
}
