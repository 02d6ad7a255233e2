import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { Distribution } from "./distribution.ts";
import { environmentName } from "./options.ts";

/** Makes metrics; a name that exists already is refused. */
export interface Metrics {
  counter<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    /** Called before it is read: what is counted many thousand times a second is better added up elsewhere. */
    collect?: (counter: Counter<L>) => void,
  ): Counter<L>;
  gauge<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    collect?: (gauge: Gauge<L>) => void,
    /** How the values of several processes become one; default: their sum. */
    together?: "sum" | "min" | "max",
  ): Gauge<L>;
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly L[],
  ): Histogram<L>;
  /** A histogram without labels, for hot paths. */
  distribution(name: string, help: string, buckets: readonly number[]): Distribution;
  /** The same without the sidecar's prefix, for names that dashboards know already. */
  readonly raw: Metrics;
}

/** Metrics of one sidecar: `beats_total` becomes `heartbeat_beats_total`. */
export function metricsOf(registry: Registry, sidecar: string): Metrics {
  const raw = withPrefix(registry, "");
  return { ...withPrefix(registry, environmentName(sidecar, "").toLowerCase()), raw };
}

function withPrefix(registry: Registry, prefix: string): Metrics {
  const common = <L extends string>(name: string, help: string, labels: readonly L[] = []) => ({
    name: prefix + name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  const metrics: Omit<Metrics, "raw"> = {
    counter: (name, help, labels, collect) => new Counter({ ...common(name, help, labels), ...collecting(collect) }),
    gauge: (name, help, labels, collect, together = "sum") =>
      new Gauge({ ...common(name, help, labels), aggregator: together, ...collecting(collect) }),
    histogram: (name, help, buckets, labels) => new Histogram({ ...common(name, help, labels), buckets: [...buckets] }),
    distribution: (name, help, buckets) => new Distribution(prefix + name, help, buckets, registry),
  };
  return {
    ...metrics,
    get raw() {
      return this;
    },
  };
}

/** prom-client hands the metric as `this`. */
function collecting<M>(collect: ((metric: M) => void) | undefined): { collect?: (this: M) => void } {
  if (collect === undefined) return {};
  return {
    collect() {
      collect(this);
    },
  };
}
