import { Routes, defineSidecar, formatAddress, listenHttp, messageOf, repeat } from "@pillion/kit";
import { supported } from "@pillion/procfs";
import { endpoints } from "./server.ts";
import { identity } from "./identity.ts";
import { linuxSource } from "./linux-source.ts";
import { addProcessTableMetrics } from "./metrics.ts";
import { options } from "./options.ts";
import { portableSource } from "./portable-source.ts";
import { Sampler } from "./sampler.ts";

/** Shows the processes of its PID namespace: a page, plain text, JSON and metrics. */
export const topz = defineSidecar(identity, options, ({ listen, interval, cmdline }) => ({
  async start({ signal, log, metrics, health, admin }) {
    const source = supported() ? linuxSource() : portableSource();
    const sampler = new Sampler(source, cmdline);
    const pages = new Routes((error) => log.error({ error: messageOf(error) }, "a page failed"));
    for (const [route, handler] of endpoints(() => sampler.latest, interval)) {
      admin.route(route, handler);
      pages.add(route, handler);
    }
    const server = listen && (await listenHttp(pages, listen, "--listen"));
    const observe = addProcessTableMetrics(metrics, () => sampler.latest);
    const loop = repeat(interval, { signal, health: health.condition("sample", "pending") }, async () => {
      const end = observe.startTimer();
      await sampler.sample(signal);
      end();
    });
    return {
      addresses: server ? { page: formatAddress(server.address) } : {},
      async stop(deadline) {
        await Promise.all([loop, server?.close(deadline)]);
        source.close();
      },
    };
  },
}));
