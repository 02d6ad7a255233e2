import { type Loop, defineSidecar, messageOf, repeat } from "@pillion/kit";
import { signalledApp } from "./app.ts";
import { Applier } from "./apply.ts";
import { batch } from "./batch.ts";
import { appAbsent } from "./errors.ts";
import { identity } from "./identity.ts";
import { addSyncMetrics } from "./metrics.ts";
import { publishOnce } from "./once.ts";
import { options } from "./options.ts";
import { reportTo } from "./report.ts";
import { openTarget } from "./target.ts";

/** A source that never comes to rest is published from all the same, this often. Milliseconds. */
const BATCH_AT_MOST = 2_000;
/** Longest wait between two looks for an app that doesn't run or can't be told, milliseconds. */
const APP_LOOK_AT_MOST = 500;

/** Publishes configuration atomically, tells the app, and goes back when the app dies of it. */
export const configSync = defineSidecar(identity, options, ({ source, target, notify, process, ...values }) => ({
  async start({ signal, log, health, metrics: registry }) {
    const { store, journal } = await openTarget(target);
    const app = notify && process ? signalledApp(process, notify) : undefined;
    const metrics = addSyncMetrics(registry);
    let publishing: Loop | undefined;
    const report = reportTo({ log, health, metrics, lost: journal.marks.failed, onWentBack: () => publishing?.now() });
    const applier = new Applier({ store, journal, app, report, settle: values.settle, keep: values.keep });
    const read = async () => {
      try {
        return await source.read({ signal, quiet: values.quiet });
      } catch (error) {
        report.failed("read");
        throw error;
      }
    };
    if (values.once) return publishOnce(applier, read, signal);

    const configuration = health.condition("configuration", "pending");
    // What an earlier run published is in force, even when the newest is refused now.
    const before = await store.current();
    if (before) {
      configuration.ok();
      metrics.shown(before.content);
    }
    publishing = repeat(values.resync, { signal, health: configuration }, async () => {
      if (await applier.publish(await read(), signal)) telling.now();
      metrics.succeeded();
    });
    const telling = repeat(
      values.resync,
      { signal, health: health.condition("app"), cap: APP_LOOK_AT_MOST },
      async () => {
        const state = await applier.settle(signal);
        if (app && state === "waiting") throw appAbsent(app.name, await app.longerNames(), globalThis.process.pid);
      },
    );
    const changes = batch({ quiet: values.quiet, atMost: BATCH_AT_MOST }, () => publishing?.now());
    const watching = source.watch?.(changes.add, { signal, log }).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, "watching ended; --resync still finds changes");
    });
    return {
      reload: () => publishing?.now(),
      async stop() {
        changes.close();
        await Promise.all([publishing, telling, watching]);
      },
    };
  },
}));
