import { Routes, defineSidecar, formatAddress, listenHttp, messageOf, repeat } from "@pillion/kit";
import { supported } from "@pillion/procfs";
import { endpoints } from "./server.ts";
import { Company } from "./company.ts";
import { identity } from "./identity.ts";
import { linuxSource } from "./linux-source.ts";
import { addProcessTableMetrics } from "./metrics.ts";
import { options } from "./options.ts";
import { portableSource } from "./portable-source.ts";
import { Sampler } from "./sampler.ts";

const ALONE =
  "topz sees only itself; share the app's PID namespace (docker run --pid=container:APP, shareProcessNamespace in a pod)";

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
    const company = new Company(process.pid);
    const sharing = health.condition("pid namespace");
    const observe = addProcessTableMetrics(metrics, () => sampler.latest);
    const loop = repeat(interval, { signal, health: health.condition("sample", "pending") }, async () => {
      const end = observe.startTimer();
      const { processes } = await sampler.sample(signal);
      end();
      if (company.isAlone(processes.map(({ pid }) => pid))) sharing.degraded(ALONE);
      else sharing.ok();
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
