import fc from "fast-check";
import { Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { Distribution } from "./distribution.ts";

test("its text is prom-client's own for a histogram, whatever is observed", async () => {
  const bounds = [0.005, 0.1, 1, 10];
  const value = fc.oneof(fc.constantFrom(0, ...bounds), fc.double({ min: 0, max: 100, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1 }), async (values) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const distribution = new Distribution("seconds", "Time.", bounds, ours);
      const histogram = new Histogram({ name: "seconds", help: "Time.", buckets: bounds, registers: [theirs] });
      for (const one of values) {
        distribution.observe(one);
        histogram.observe(one);
      }
      expect(await ours.metrics()).toBe(await theirs.metrics());
      expect(await ours.getMetricsAsJSON()).toEqual(
        (await theirs.getMetricsAsJSON()).map((metric) => ({
          ...metric,
          values: (metric as { values: object[] }).values.map((one) => ({ ...one, exemplar: undefined })),
        })),
      );
    }),
    { numRuns: 50 },
  );
});

test("a name that exists is refused", () => {
  const registry = new Registry();
  void new Distribution("seconds", "Time.", [1], registry);
  expect(() => new Distribution("seconds", "Time.", [1], registry)).toThrow("already been registered");
});
